import { Module } from '@nestjs/common';

import { Clock } from './clock.js';

/** One clock for the application, so that a test can move it. */
@Module({ providers: [Clock], exports: [Clock] })
export class ClockModule {}
