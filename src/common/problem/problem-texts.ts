import i18next from 'i18next';
import Negotiator from 'negotiator';
import { readFileSync } from 'node:fs';

import type { RuleFailure } from '../validation/rule-failure.js';
import type { ProblemCode } from './catalogue.js';

/** The languages of problem documents. `http/problem.filter.ts` chooses one, and `problem-document.ts` builds the document. */
export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

const readLocale = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`./locales/${name}.json`, import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;

const texts = i18next.createInstance();
void texts.init({
  // There is no asynchronous loader, so the texts are available when init returns.
  initAsync: false,
  showSupportNotice: false,
  fallbackLng: 'en',
  interpolation: { escapeValue: false },
  resources: Object.fromEntries(
    LANGUAGES.map((language) => [
      language,
      {
        translation: readLocale(language),
        // class-validator has its own English texts.
        ...(language === 'en' ? {} : { validator: readLocale(`class-validator.${language}`) }),
      },
    ]),
  ),
});

/** @param acceptLanguage the header (RFC 9110 section 12.5.4); English unless Chinese is preferred */
export function languageOf(acceptLanguage: string | undefined): Language {
  const negotiator = new Negotiator({ headers: { 'accept-language': acceptLanguage ?? 'en' } });
  return (negotiator.language([...LANGUAGES]) as Language | undefined) ?? 'en';
}

export function problemText(
  code: ProblemCode,
  part: 'title' | 'detail' | 'help',
  language: Language,
): string {
  return texts.t(`problems.${code}.${part}`, { lng: language });
}

/** The localized text of a failed rule. A custom validator of the application provides its own text. */
export function ruleText(failure: RuleFailure, language: Language): string {
  return failure.isStandard ? standardText(failure, language) : ownText(failure, language);
}

function ownText(failure: RuleFailure, language: Language): string {
  const key = `rules.${failure.code}`;
  return texts.exists(key, { lng: language })
    ? texts.t(key, { lng: language, ...failure.params })
    : (failure.message ?? failure.code);
}

function standardText(failure: RuleFailure, language: Language): string {
  const options = { lng: language, ns: 'validator' };
  if (language === 'en') {
    return failure.message ?? failure.code;
  }
  const key = texts.exists(failure.code, options) ? failure.code : 'other';
  const text = texts.t(key, { ...options, ...failure.params, code: failure.code });
  return failure.isForEach ? texts.t('each', { ...options, text }) : text;
}

export function pageText(key: string, language: Language): string {
  return texts.t(`page.${key}`, { lng: language });
}
