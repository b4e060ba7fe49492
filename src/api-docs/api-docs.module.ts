import { Module } from '@nestjs/common';

import { ProblemPagesController } from './problem-pages.controller.js';

/** What explains the API to people. */
@Module({ controllers: [ProblemPagesController] })
export class ApiDocsModule {}
