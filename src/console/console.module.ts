import { Module } from '@nestjs/common';

import { ConsoleSessionController } from './console-session.controller.js';

/** The session of the console. `serveConsole` serves its page. Needs AuthModule in the same application. */
@Module({ controllers: [ConsoleSessionController] })
export class ConsoleModule {}
