import { configurableModule } from '../common/configurable-module/index.js';
import type { ServiceAccountsOptions } from './service-accounts.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: SERVICE_ACCOUNTS_OPTIONS } =
  configurableModule<ServiceAccountsOptions>('ServiceAccounts');
