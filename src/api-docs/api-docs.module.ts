import { Module } from '@nestjs/common';

import { ProblemPagesController } from './problem-pages.controller.js';
import { RootRedirect } from './root-redirect.js';

/** Problem pages, and the redirect to Swagger UI. */
@Module({ controllers: [ProblemPagesController], providers: [RootRedirect] })
export class ApiDocsModule {}
