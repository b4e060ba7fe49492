import type { Language } from '../../common/problem/index.js';

/** The mails of Keyslot. */
export const MAIL_KINDS = [
  'password-reset',
  'invitation',
  'email-verification',
  'email-change-requested',
  'email-changed',
  'password-changed',
  'new-device',
  'factor-added',
  'factor-removed',
  'recovery-codes-created',
  'recovery-code-used',
] as const;

export type MailKind = (typeof MAIL_KINDS)[number];

/** The values of a mail. Users and clients have chosen some of them, so escape them in HTML. */
export interface MailValues {
  readonly username: string;
  readonly displayName?: string | undefined;
  /** A link with a one-time token, in mails that have one. */
  readonly link?: string | undefined;
  /** For how many minutes the link is valid. */
  readonly validMinutes?: number | undefined;
  /** Whether an administrator has requested a `password-reset`. Default false. */
  readonly isByAdministrator?: boolean | undefined;
  /** A new e-mail address. Absent: the address was removed. */
  readonly newEmail?: string | undefined;
  /** Type of a second factor: `totp`. Absent: all second factors were removed. */
  readonly factor?: string | undefined;
  /** When something happened, by the clock of the cluster. */
  readonly at?: Date | undefined;
  /** Address of the client. */
  readonly ip?: string | undefined;
  /** User agent of the client, without control characters. */
  readonly userAgent?: string | undefined;
}

export interface MailContent {
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * The contents of mails. The default has short texts in English and Simplified Chinese.
 *
 * @example
 * class OwnTemplates extends DefaultMailTemplates {
 *   override render(kind: MailKind, language: Language, values: MailValues): MailContent {
 *     return kind === 'invitation' ? invitation(language, values) : super.render(kind, language, values);
 *   }
 * }
 */
export interface MailTemplates {
  /**
   * @param language of the request that has caused the mail
   * @throws for a defect: the mail is then sent again later
   */
  render(
    kind: MailKind,
    language: Language,
    values: MailValues,
  ): MailContent | Promise<MailContent>;
}

export const MAIL_TEMPLATES = Symbol('MAIL_TEMPLATES');
