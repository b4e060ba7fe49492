import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import { en, type TextKey } from './en';
import { EVENT_TEXTS } from './events';
import { zh } from './zh';

export type { TextKey } from './en';
export type Language = 'en' | 'zh';

export const TEXTS: Readonly<Record<Language, Record<TextKey, string>>> = { en, zh };
export const LanguageContext = createContext<Language>('en');

export type Values = Readonly<Record<string, string | number>>;

export interface Texts {
  readonly language: Language;
  /** @param values replace `{name}` in the text */
  readonly t: (key: TextKey, values?: Values) => string;
  readonly time: (iso: string) => string;
  readonly number: (value: number, digits?: number) => string;
  readonly event: (type: string) => string;
}

export function useTexts(): Texts {
  const language = useContext(LanguageContext);
  return {
    language,
    t: (key, values = {}) =>
      TEXTS[language][key].replace(/\{(\w+)\}/g, (all, name: string) =>
        String(values[name] ?? all),
      ),
    time: (iso) =>
      new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(
        new Date(iso),
      ),
    number: (value, digits = 0) =>
      new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value),
    event: (type) => EVENT_TEXTS[language][type] ?? type,
  };
}
