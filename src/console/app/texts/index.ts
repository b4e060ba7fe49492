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
  /** @param values replace `{name}` in the text. A text with `|` has two forms: the first one is for a `count` of 1. */
  readonly t: (key: TextKey, values?: Values) => string;
  readonly time: (iso: string) => string;
  readonly number: (value: number, digits?: 0 | 1) => string;
  readonly event: (type: string) => string;
}

interface Formats {
  readonly time: Intl.DateTimeFormat;
  readonly number: (digits: 0 | 1) => Intl.NumberFormat;
}

/** To create a formatter takes longer than to format with it, and a page formats hundreds of values. */
function formatsOf(language: Language): Formats {
  const numbers = [0, 1].map(
    (digits) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }),
  );
  return {
    time: new Intl.DateTimeFormat(language, {
      dateStyle: 'medium',
      timeStyle: 'medium',
      hourCycle: 'h23',
    }),
    number: (digits) => numbers[digits]!,
  };
}

const FORMATS: Readonly<Record<Language, Formats>> = { en: formatsOf('en'), zh: formatsOf('zh') };

export function useTexts(): Texts {
  const language = useContext(LanguageContext);
  const { time, number } = FORMATS[language];
  return {
    language,
    t: (key, values = {}) => {
      const [one, many = one] = TEXTS[language][key].split('|');
      return (String(values['count']) === '1' ? one! : many!).replace(
        /\{(\w+)\}/g,
        (all, name: string) => String(values[name] ?? all),
      );
    },
    // A line may break between the date and the time only.
    time: (iso) => time.format(new Date(iso)).replace(/ (?!\d+:)/g, '\u00a0'),
    number: (value, digits = 0) => number(digits).format(value),
    event: (type) => EVENT_TEXTS[language][type] ?? type,
  };
}
