import { Module } from '@nestjs/common';

import { ProblemPagesController } from './problem-pages.controller.js';
import { RootRedirect } from './root-redirect.js';

/** What explains the API to people. */
@Module({ controllers: [ProblemPagesController], providers: [RootRedirect] })
export class ApiDocsModule {}
