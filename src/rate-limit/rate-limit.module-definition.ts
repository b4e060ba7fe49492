import { configurableModule } from '../common/configurable-module/index.js';
import type { RateLimitOptions } from './rate-limit.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: RATE_LIMIT_OPTIONS } =
  configurableModule<RateLimitOptions>('RateLimit');
