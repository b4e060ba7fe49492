import { configurableModule } from '../common/configurable-module/index.js';
import type { NearCacheOptions } from './near-cache.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: NEAR_CACHE_OPTIONS } =
  configurableModule<NearCacheOptions>('NearCache');
