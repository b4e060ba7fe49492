import { Module } from '@nestjs/common';

import { ConfigurableModuleClass } from './sessions.module-definition.js';
import { SessionsService } from './sessions.service.js';

/** Sessions: begun by a login, asked by the guard, ended by a logout. */
@Module({ providers: [SessionsService], exports: [SessionsService] })
export class SessionsModule extends ConfigurableModuleClass {}
