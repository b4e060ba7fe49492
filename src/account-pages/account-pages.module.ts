import { Module } from '@nestjs/common';

import { AccountPagesController } from './account-pages.controller.js';

/** Small pages for the links in mails, for services without a user interface of their own. */
@Module({ controllers: [AccountPagesController] })
export class AccountPagesModule {}
