/** A bound only: no name is known that needs more than three rounds. */
const MAX_ROUNDS = 10;

/** The mark between Tibetan syllables. Many people also write it after the last one. */
const TSHEG_AT_END = /(?<=[\p{L}\p{M}])\u0f0b+$/u;

/**
 * Unicode NFKC without surrounding space and invisible characters. Repeated until nothing changes: marks that an invisible
 * character separated are ordered only after its removal.
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
 * `normalizeName` and case folding: the fixed point of Unicode's toNFKC_Casefold. Of the two apostrophes of keyboards, U+2019
 * becomes U+0027.
 */
export function foldName(text: string): string {
  return untilStable(normalizeName(text), (name) =>
    // To upper and lower case, because one step does not make ß and ss equal. Lower case first, for the capital ẞ.
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
