import { Module } from '@nestjs/common';

import { ConfigurableModuleClass } from './rate-limit.module-definition.js';
import { RateLimiter } from './rate-limiter.js';

/** Limits that hold across all instances. Needs RedisClusterModule in the same application. */
@Module({ providers: [RateLimiter], exports: [RateLimiter] })
export class RateLimitModule extends ConfigurableModuleClass {}
