import { configurableModule } from '../common/configurable-module/index.js';
import type { MailOptions } from './mail.options.js';
import { MAILER, type Mailer } from './mailer/mailer.js';
import { MAIL_TEMPLATES, type MailTemplates } from './templates/mail-templates.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: MAIL_OPTIONS } = configurableModule<
  MailOptions,
  { mailer: Mailer; templates: MailTemplates }
>('Mail', { mailer: MAILER, templates: MAIL_TEMPLATES });
