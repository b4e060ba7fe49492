/** The scripts in which people write their names today: UAX #31 table 5, the limited-use scripts of table 7, and Mongolian. */
const SCRIPTS = (
  'Latin Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew ' +
  'Hiragana Kannada Katakana Khmer Lao Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan ' +
  'Adlam Balinese Bamum Batak Canadian_Aboriginal Chakma Cham Cherokee Hanifi_Rohingya Javanese Kayah_Li Lepcha Limbu ' +
  'Lisu Mandaic Meetei_Mayek Miao New_Tai_Lue Newa Nko Nyiakeng_Puachue_Hmong Ol_Chiki Osage Saurashtra Sundanese ' +
  'Syloti_Nagri Syriac Tai_Le Tai_Tham Tai_Viet Tifinagh Vai Wancho Yi'
).split(' ');
/** Scripts that are written together (UTS #39 section 5.2, "highly restrictive"). */
const WRITTEN_TOGETHER = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];
const ASCII = /^[\0-\x7f]+$/;
/** Made for the first name beyond ASCII: to read 60 sets of Unicode takes 20 ms. */
let allowedSets: readonly RegExp[] | undefined;
const DIGIT = /\p{Decimal_Number}/u;

/** Whether a text violates the restriction level "highly restrictive" of UTS #39 section 5.2. */
export function mixesScripts(text: string): boolean {
  if (ASCII.test(text)) {
    return false;
  }
  allowedSets ??= [...SCRIPTS.map((script) => [script]), ...WRITTEN_TOGETHER].map(setOf);
  return !allowedSets.some((set) => set.test(text));
}

function setOf(scripts: readonly string[]): RegExp {
  const properties = [...scripts, 'Common', 'Inherited'].map(
    (script) => `\\p{Script_Extensions=${script}}`,
  );
  return new RegExp(`^[${properties.join('')}]+$`, 'u');
}

/** Whether a text has digits of several decimal systems (UTS #39 section 5.3). */
export function mixesDigits(text: string): boolean {
  const zeros = new Set(
    Array.from(text)
      .filter((char) => DIGIT.test(char))
      .map(zeroOf),
  );
  return zeros.size > 1;
}

/**
 * The zero of the digit's decimal system. The ten digits of a system are consecutive in Unicode, and no two systems are
 * adjacent.
 */
function zeroOf(digit: string): number {
  let zero = digit.codePointAt(0)!;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) {
    zero -= 1;
  }
  return zero;
}
