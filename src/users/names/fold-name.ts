/** Only an upper limit: no known name needs more than three rounds. */
const MAX_ROUNDS = 10;

/** The mark between Tibetan syllables. Many people also write it after the last one. */
const TSHEG_AT_END = /(?<=[\p{L}\p{M}])\u0f0b+$/u;

/**
 * Applies Unicode NFKC, and removes surrounding space and invisible characters. It repeats both until nothing changes, because
 * NFKC orders the marks on both sides of an invisible character only after this character is removed.
 */
export function normalizeName(text: string): string {
  return untilStable(text, (name) =>
    name
      .normalize('NFKC')
      .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
      .trim()
      .replace(TSHEG_AT_END, ''),
  );
}

/**
 * Applies `normalizeName` and case folding until nothing changes: the fixed point of Unicode's toNFKC_Casefold. Keyboards have
 * two apostrophes; U+2019 becomes U+0027.
 */
export function foldName(text: string): string {
  return untilStable(normalizeName(text), (name) =>
    // Upper case and then lower case, because only both steps make ß and ss equal. Lower case first, because of the capital ẞ.
    normalizeName(name.replaceAll('\u2019', "'").toLowerCase().toUpperCase().toLowerCase()),
  );
}

function untilStable(text: string, step: (text: string) => string): string {
  let current = text;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = step(current);
    if (next === current) {
      break;
    }
    current = next;
  }
  return current;
}
