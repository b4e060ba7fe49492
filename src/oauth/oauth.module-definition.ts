import { configurableModule } from '../common/configurable-module/index.js';
import type { OAuthOptions } from './oauth.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: OAUTH_OPTIONS } =
  configurableModule<OAuthOptions>('OAuth');
