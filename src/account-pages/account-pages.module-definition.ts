import { configurableModule } from '../common/configurable-module/index.js';

export interface AccountPagesOptions {
  /** Minimum number of characters of a new password, which the page shows. */
  readonly passwordMinLength: number;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: ACCOUNT_PAGES_OPTIONS } =
  configurableModule<AccountPagesOptions>('AccountPages');
