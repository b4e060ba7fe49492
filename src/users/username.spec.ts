import { canonicalUsername, checkUsername, displayedUsername, usernameDigest } from './username.js';

describe('user names', () => {
  it.each([
    ['ada', 'ADA'],
    ['Straße', 'STRASSE'],
    ['ｆｕｌｌ', 'full'],
    ['ﬁle', 'file'],
    ['οδος', 'ΟΔΟΣ'],
    ['cafe\u0301', 'caf\u00e9'],
    ['a\u200bd\u2060a\ufeff', 'ada'],
    [' ada\t', 'ada'],
    ['\u202eada', 'ada'],
  ])('%j and %j are one name', (one, other) => {
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

  it('keeps the capitals that a person gave', () => {
    expect(displayedUsername('  Ada\u200b ')).toBe('Ada');
  });

  it.each(['a', 'ada.lovelace', 'ada_l-1+x@example.com', 'Αθηνά', 'ада', '林黛玉', 'a'.repeat(64)])(
    'accepts %j',
    (name) => expect(checkUsername(name)).toBeUndefined(),
  );

  it('answers a megabyte at once', () => {
    expect(checkUsername('\ufdfa'.repeat(1_000_000))).toMatchObject({ code: 'too-long' });
  });
});
