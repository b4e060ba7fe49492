import { configurableModule } from '../common/configurable-module/index.js';
import { ADDED_SECOND_FACTORS, type SecondFactor } from '../credentials/index.js';
import type { AuthOptions } from './auth.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: AUTH_OPTIONS } = configurableModule<
  AuthOptions,
  { secondFactors: readonly SecondFactor[] }
>('Auth', { secondFactors: ADDED_SECOND_FACTORS });
