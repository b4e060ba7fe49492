/** What a round leaves is smaller in case and in normal form; more than three were never seen. */
const MAX_ROUNDS = 10;

/** The mark between Tibetan syllables. Many write it behind the last one, too. */
const TSHEG_AT_END = /(?<=[\p{L}\p{M}])\u0f0b+$/u;

/**
 * Unicode NFKC without surrounding space and without characters that cannot be seen. Repeated until nothing changes:
 * marks that an unseen character kept apart are put into their order only without it.
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
 * The same without differences of case: the fixed point of Unicode's toNFKC_Casefold. Of the two apostrophes that keyboards
 * write, U+2019 becomes U+0027.
 */
export function foldName(text: string): string {
  return untilStable(normalizeName(text), (name) =>
    // Up and down again folds what one step leaves apart (ß, ss); down first, for the capital ẞ.
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
