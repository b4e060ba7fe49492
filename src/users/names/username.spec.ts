import fc from 'fast-check';
import { spawnSync } from 'node:child_process';

import { skeletonOf } from './confusables.js';
import {
  areSameName,
  canonicalUsername,
  checkUsername,
  displayedUsername,
  formerCanonicalUsername,
  usernameDigest,
  usernameSkeletons,
} from './username.js';

const SCALARS = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
  .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
  .map((codePoint) => String.fromCodePoint(codePoint))
  .filter((char) => !/\p{Cn}|\p{Co}/u.test(char));
const MARKS = SCALARS.filter((char) => /\p{M}|\p{Default_Ignorable_Code_Point}/u.test(char));
/** Characters for which case folding and normalization interact. */
const NORMALIZATION_CASES = Array.from(
  '\u0345\u0301\u0308\u0327\u0307\u034f\u200d\u03c3\u03c2\u03a3\u03b1\u1fb3\u1fb4\u03cb\u0130\u0131iIsSſßẞŉǰΐᾳἀ\u13a0\uab70\u1c90\u10d0' +
    '\u1100\u1161\u11a8가각ǅﬃﾞｶ\u0b47\u0b3e\ufdfa\u1e9a',
);
const text = fc
  .array(
    fc.oneof(
      fc.nat(SCALARS.length - 1).map((index) => SCALARS[index]!),
      fc.constantFrom(...MARKS),
      fc.constantFrom(...NORMALIZATION_CASES),
      fc.constantFrom('a', 'i', 'l', 'm', 'r', 'n', 'и', 'α', '1'),
    ),
    { maxLength: 12 },
  )
  .map((chars) => chars.join(''));
/** Accepted names of many scripts: in canonical form, and not reduced to nothing. */
const VALID_NAMES = [
  'ada',
  'Ada',
  'ada.o-brien',
  'ada_l-1+x@example.com',
  'İpek',
  'ılgın',
  'Straße',
  'Nguyễn',
  'Ḿax',
  'm\u0308ax',
  'ə',
  'Αθηνά',
  'Σωκράτης',
  'ада',
  'Иван',
  'Ольга',
  'Щербина',
  'Їжак',
  'Հայկ',
  'გიორგი',
  'محمد',
  'ابن-سينا',
  'שָׁלוֹם',
  'דוד',
  'राहुल',
  'সুমন',
  'ਸਿੰਘ',
  'ગુજર',
  'முருகன்',
  'రాము',
  'ರಾಮ',
  'മലയാളം',
  'สมชาย',
  'ສົມ',
  'សុខ',
  'မောင်',
  'አበበ',
  'ᏣᎳᎩ',
  'ⵣⵉⵔⵉ',
  '林黛玉',
  '佐々木',
  '髙橋',
  '𠮷野家',
  'はなこ',
  'カタリナ',
  'ケンtaro',
  '田中さん',
  '김철수',
  '金kim철수',
  'ㄅㄆ陈chen',
  'राम१२',
];

/** Names with signs inside words, which versions before 0.2 refused. */
const VALID_NAMES_WITH_SIGNS = [
  "o'brien",
  'O\u2019Brien',
  "d'Arc",
  "Мар'яна",
  'Gal\u00b7la',
  'anne\u2010marie',
  'Ռ\u058aԱ',
  'བསྟན་འཛིན་རྒྱ་མཚོ',
  'རྡོ་རྗེ་',
  'ཚེ་རིང་',
  'ג\u05f3ורג\u05f3',
  'רמב\u05f4ם',
  'ジャン\u30fbポール',
];
const MONGOLIAN = ['ᠮᠣᠩᠭᠣᠯ', 'ᠪᠠᠲᠤ', 'ᠴᠢᠩᠭᠢᠰ', 'ᠪᠣᠯᠣᠷ\u180bᠮᠠ', 'ᠪᠠᠲᠤ᠑᠒'];

describe('a user name', () => {
  it.each([
    ["o'brien", 'o\u2019brien'],
    ["O'BRIEN", 'o\u2019brien'],
    ["o'brien", 'o\uff07brien'],
    ['རྡོ་རྗེ', 'རྡོ་རྗེ་'],
    ['རྡོ་རྗེ', 'རྡོ༌རྗེ'],
    ['ᠪᠣᠯᠣᠷ\u180bᠮᠠ', 'ᠪᠣᠯᠣᠷᠮᠠ'],
    ['ada', 'ADA'],
    ['Straße', 'STRASSE'],
    ['ｆｕｌｌ', 'full'],
    ['ﬁle', 'file'],
    ['οδος', 'ΟΔΟΣ'],
    ['cafe\u0301', 'caf\u00e9'],
    ['a\u200bd\u2060a\ufeff', 'ada'],
    [' ada\t', 'ada'],
    ['\u202eada', 'ada'],
  ])('%j and %j are the same name', (one, other) => {
    expect(canonicalUsername(one)).toBe(canonicalUsername(other));
    expect(usernameDigest(one)).toBe(usernameDigest(other));
  });

  it.each(['İstanbul', 'ŉame', 'ẞ', 'ǅ', 'Σς', 'ﬃ'])(
    'the canonical form of %j is its own canonical form',
    (name) => {
      const canonical = canonicalUsername(name);
      expect(canonicalUsername(canonical)).toBe(canonical);
    },
  );

  it('has one canonical form, which is stable, in every normal form: each code point', () => {
    const unstable = SCALARS.filter((char) => {
      const canonical = canonicalUsername(char);
      return (
        canonicalUsername(canonical) !== canonical ||
        canonicalUsername(char.normalize('NFD')) !== canonical ||
        displayedUsername(displayedUsername(char)) !== displayedUsername(char)
      );
    });
    expect(unstable).toEqual([]);
  });

  it('has one canonical form, which is stable, in every normal form: marks in any order', () => {
    fc.assert(
      fc.property(text, (name) => {
        const canonical = canonicalUsername(name);
        expect(canonicalUsername(canonical)).toBe(canonical);
        expect(canonicalUsername(displayedUsername(name))).toBe(canonical);
        expect(displayedUsername(name).normalize('NFKC')).toBe(displayedUsername(name));
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD']) {
          expect(canonicalUsername(name.normalize(form))).toBe(canonical);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('has a stable skeleton, the same for every spelling: marks in any order', () => {
    fc.assert(
      fc.property(text, (name) => {
        const canonical = canonicalUsername(name);
        expect(skeletonOf(skeletonOf(canonical))).toBe(skeletonOf(canonical));
        expect(skeletonOf(canonical.normalize('NFD'))).toBe(skeletonOf(canonical));
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps the key that versions before 0.2 stored, if it is in a stable form', () => {
    for (const name of [...VALID_NAMES, ...VALID_NAMES.map((one) => one.normalize('NFD'))]) {
      expect(formerCanonicalUsername(name)).toBe(canonicalUsername(name));
    }
    fc.assert(
      fc.property(text, (name) => {
        const former = formerCanonicalUsername(name);
        fc.pre(formerCanonicalUsername(former) === former && former.normalize('NFKC') === former);
        // Names with these were refused, so no such name is stored.
        fc.pre(!/\u2019|\u0f0b/.test(former));
        expect(canonicalUsername(former)).toBe(former);
      }),
    );
  });

  it.each([
    ['a joiner between marks', 'a\u0323\u034f\u0307x', 'a\u0307\u034f\u0323x'],
    ['a subscript among marks', '\u03b1\u0345\u0301', '\u03b1\u0301\u0345'],
  ])('is the same name with %s in another order', (_, one, other) => {
    expect(displayedUsername(one).normalize('NFC')).toBe(displayedUsername(one));
    expect(canonicalUsername(one)).toBe(canonicalUsername(other));
  });

  it.each(['o\u02bcbrien', 'o\u02bbbrien'])(
    'is the same name with another apostrophe: %s',
    (name) => {
      expect(areSameName(name, "o'brien")).toBe(true);
      expect(areSameName(name, 'o\u2019brien')).toBe(true);
      expect(areSameName(name, 'obrien')).toBe(false);
    },
  );

  it.each([...VALID_NAMES, ...VALID_NAMES_WITH_SIGNS, ...MONGOLIAN])(
    'is allowed in every script in use: %s',
    (name) => {
      expect(checkUsername(name)).toBeUndefined();
      expect(checkUsername(name.normalize('NFD'))).toBeUndefined();
    },
  );

  it.each([
    ['a Cherokee letter among Latin ones', 'thᎥbaudcolas', 'mixed-scripts'],
    ['a Cyrillic letter among Latin ones', 'pаypal', 'mixed-scripts'],
    ['a Greek letter among Latin ones', 'gοοgle', 'mixed-scripts'],
    ['an Armenian letter among Latin ones', 'aԁհa', 'mixed-scripts'],
    ['a Lisu letter among Latin ones', 'adaꓮ', 'mixed-scripts'],
    ['Thai among Han', '林สม', 'mixed-scripts'],
    ['Hangul among Kana', '김かな', 'mixed-scripts'],
    ['Bopomofo among Kana', 'ㄅかな', 'mixed-scripts'],
    ['digits of two systems', 'ada٣3', 'mixed-scripts'],
    ['digits of two systems in one script', 'محمد٣۴', 'mixed-scripts'],
    ['a dot above a letter that has one', 'admi\u0307n', 'name-characters'],
    ['a mark twice', 'ade\u0301\u0301', 'name-characters'],
    ['five marks', 'ada\u0301\u0302\u0303\u0304\u0306', 'name-characters'],
    ['a small capital', 'ᴀda', 'name-characters'],
    ['a phonetic letter', 'ɢoogle', 'name-characters'],
    ['a combining overlay', 'ada\u0338', 'name-characters'],
    ['a historic script', '𐌰𐌳𐌰', 'mixed-scripts'],
    ['a leading apostrophe', "'ada", 'name-characters'],
    ['a trailing apostrophe', "ada'", 'name-characters'],
    ['a trailing typographic apostrophe', 'ada\u2019', 'name-characters'],
    ['two apostrophes', "o''brien", 'name-characters'],
    ['an apostrophe before a sign', "o'.brien", 'name-characters'],
    ['a quotation mark', 'o\u2018brien', 'name-characters'],
    ['a standalone acute accent', 'o\u00b4brien', 'name-characters'],
    ['a standalone grave accent', 'o`brien', 'name-characters'],
    ['a double quotation mark', 'o"brien', 'name-characters'],
    ['a colon', 'o:brien', 'name-characters'],
    ['a trailing middle dot', 'gal\u00b7', 'name-characters'],
    ['a tsheg among Latin letters', 'ada\u0f0blovelace', 'mixed-scripts'],
    ['a gershayim among Latin letters', 'o\u05f4brien', 'mixed-scripts'],
    ['a Tibetan end mark', 'རྡོ།', 'name-characters'],
    ['a Mongolian comma', 'ᠪᠠᠲᠤ᠂ᠪᠠᠲᠤ', 'name-characters'],
    ['Mongolian among Latin letters', 'adaᠮ', 'mixed-scripts'],
  ])('is refused with %s', (_, name, code) => {
    expect(checkUsername(name)).toEqual({ code });
  });

  const skeletonsOf = (name: string): readonly string[] =>
    usernameSkeletons(canonicalUsername(name), displayedUsername(name));
  it.each([
    ['раураӏ', 'paypal'],
    ['PaypaI', 'paypal'],
    ['paypa1', 'paypal'],
    ['rnodern', 'modem'],
    ['ВОВ', 'BOB'],
    ['b0b', 'bob'],
    ['İpek', 'ipek'],
    ['ılgın', 'ilgin'],
    ['admi\u0307n', 'admin'],
    ['カ', '力'],
    ['ŧ'.normalize(), 't\u0335'],
  ])('%s has the skeleton %s', (one, other) => {
    expect(skeletonsOf(one).some((skeleton) => skeletonsOf(other).includes(skeleton))).toBe(true);
  });

  it.each([
    ['ada', 'adam'],
    ['neil', 'nell'],
    ['maria', 'marla'],
    ['anna', 'ana'],
    ['иван', 'ivan'],
    ['José', 'jose'],
    ['user1', 'user2'],
    ['김철수', '김철호'],
    ['大久保', '太久保'],
  ])('%s does not have the skeleton %s', (one, other) => {
    expect(skeletonsOf(one).some((skeleton) => skeletonsOf(other).includes(skeleton))).toBe(false);
  });

  it('is its own skeleton in small Latin letters, so that users of earlier versions are protected', () => {
    for (const name of [
      'admin',
      'administrator',
      'paypal',
      'thibaudcolas',
      'mammon',
      'root',
      'william',
    ]) {
      expect(skeletonsOf(name)).toEqual([name]);
    }
  });

  it('uses Unicode data equal to the published data', () => {
    const { status, stderr } = spawnSync(process.execPath, [
      'src/setup/unicode-data.js',
      '--check',
    ]);
    expect(stderr.toString()).toBe('');
    expect(status).toBe(0);
  });

  it('keeps the capitals that the user entered', () => {
    expect(displayedUsername('  Ada\u200b ')).toBe('Ada');
  });

  it.each(['a', 'ada.lovelace', 'ada_l-1+x@example.com', 'Αθηνά', 'ада', '林黛玉', 'a'.repeat(64)])(
    'accepts %j as a name',
    (name) => expect(checkUsername(name)).toBeUndefined(),
  );

  it('answers quickly for a megabyte of text', () => {
    expect(checkUsername('\ufdfa'.repeat(1_000_000))).toMatchObject({ code: 'too-long' });
  });
});
