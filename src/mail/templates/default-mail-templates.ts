import { Injectable } from '@nestjs/common';
import i18next from 'i18next';
import { readFileSync } from 'node:fs';

import { LANGUAGES, type Language } from '../../common/problem/index.js';
import type { MailContent, MailKind, MailTemplates, MailValues } from './mail-templates.js';

const readLocale = (name: string): object =>
  JSON.parse(readFileSync(new URL(`./locales/${name}.json`, import.meta.url), 'utf8')) as object;

const texts = i18next.createInstance();
void texts.init({
  initAsync: false,
  showSupportNotice: false,
  fallbackLng: 'en',
  interpolation: { escapeValue: false },
  resources: Object.fromEntries(
    LANGUAGES.map((language) => [language, { translation: readLocale(language) }]),
  ),
});

/** The texts in `locales/`: a subject, paragraphs, and the label of the link. */
@Injectable()
export class DefaultMailTemplates implements MailTemplates {
  render(kind: MailKind, language: Language, values: MailValues): MailContent {
    const { username, link, at, validMinutes, factor } = values;
    const context = contextOf(kind, values);
    const options: Record<string, unknown> = {
      lng: language,
      ...values,
      // Not the display name: strangers may get a mail, and a user could advertise in it.
      name: username,
      at: at && timeText(at),
      validFor: validMinutes && validityText(language, validMinutes),
      ...(context === undefined ? {} : { context }),
      // A factor of the application is named by its type.
      factor: texts.t(`factors.${factor}`, { lng: language, defaultValue: factor ?? '' }),
    };
    const text = (key: string): string => texts.t(key, options);
    const paragraphs = texts.t(`${kind}.paragraphs`, {
      ...options,
      returnObjects: true,
    }) as unknown as string[];
    const greeting = text('greeting');
    const action = link === undefined ? [] : [{ label: text(`${kind}.action`), link }];
    const footer = text('footer');
    return {
      subject: text(`${kind}.subject`),
      text: [greeting, ...paragraphs, ...action.map((one) => `${one.label}:\n${one.link}`), footer]
        .join('\n\n')
        .concat('\n'),
      html: page(language, [
        ...[greeting, ...paragraphs].map((paragraph) => `<p>${escaped(paragraph)}</p>`),
        ...action.map((one) => `<p><a href="${escaped(one.link)}">${escaped(one.label)}</a></p>`),
        `<p style="color:#666">${escaped(footer)}</p>`,
      ]),
    };
  }
}

/** Chooses paragraphs, such as `paragraphs_removed`. */
function contextOf(
  kind: MailKind,
  { newEmail, factor, isByAdministrator }: MailValues,
): string | undefined {
  if (kind === 'email-changed' && newEmail === undefined) {
    return 'removed';
  }
  if (kind === 'factor-removed' && factor === undefined) {
    return 'all';
  }
  return kind === 'password-reset' && isByAdministrator ? 'administrator' : undefined;
}

function validityText(language: Language, validMinutes: number): string {
  const validHours = validMinutes / 60;
  const isHours = validHours > 1 && Number.isInteger(validHours);
  return texts.t(isHours ? 'hours' : 'minutes', { lng: language, validHours, validMinutes });
}

function timeText(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function page(language: Language, blocks: readonly string[]): string {
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem">
${blocks.join('\n')}
</body></html>
`;
}
