import type { Language } from '.';

/** All that the page keeps in the storage of the browser. Other applications of the same host can read and change it. */
const KEY = 'keyslot-console-language';

/** @returns the language that was chosen in this browser, or else that of the browser */
export function initialLanguage(): Language {
  const chosen = read();
  if (chosen === 'en' || chosen === 'zh') {
    return chosen;
  }
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

export function keepLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The browser may refuse storage. The choice then lasts until the page is closed.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
