import { Module } from '@nestjs/common';

import { GlobalPrefix } from '../common/http/index.js';
import { AccountPagesController } from './account-pages.controller.js';
import { ConfigurableModuleClass } from './account-pages.module-definition.js';

/** Small pages for the links in mails, for services without a user interface of their own. */
@Module({ controllers: [AccountPagesController], providers: [GlobalPrefix] })
export class AccountPagesModule extends ConfigurableModuleClass {}
