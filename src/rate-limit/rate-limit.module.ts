import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { ConfigurableModuleClass } from './rate-limit.module-definition.js';
import { RateLimiter } from './rate-limiter.js';

/** Limits that hold across all instances. Needs RedisClusterModule in the same application. */
@Module({ imports: [ClockModule], providers: [RateLimiter], exports: [RateLimiter] })
export class RateLimitModule extends ConfigurableModuleClass {}
