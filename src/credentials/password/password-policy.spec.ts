import { checkPassword } from './password-policy.js';

const check = (password: string, minLength = 8): string | undefined =>
  checkPassword(password, minLength, {
    username: 'ada.lovelace',
    email: 'countess@example.com',
    displayName: 'Augusta King-Noël',
  })?.code;

describe('the password policy', () => {
  it.each([
    'password',
    'PASSWORD1',
    'p@ssw0rd',
    'iloveyou!!!',
    '12345678',
    '11111111',
    'qwertyuiop',
    'Ada.Lovelace',
    '4d4.L0vel4ce!',
    'countess2026',
    'countess@example.com',
    'KeySlot!2026',
    'abcabcabcabc',
    '123456789012345',
    '0987654321098765',
    'qwertyuiopasdfghjkl',
    'mnbvcxzlkjhgfdsa',
    'ada lovelace ada lovelace',
    'Ada.Lovelace_ada.lovelace',
    'ada.lovelace1234',
    '1234567890lovelace',
    'Lovelace!Lovelace!99',
    'ecalevol.ada.2026',
    '10v31ac3-4d4-1234567890',
    'adaada19121815!',
    'countess_lovelace_01',
    'keyslotkeyslot12345',
    'keyslot-lovelace-77',
    'xxxlovelacexxx123',
  ])('refuses %s, which is easy to guess (51)', (password) => {
    expect(check(password)).toBe('password-common');
  });

  it.each([
    'violet engines hum at dawn',
    'seven years ago we moved',
    'the dog jumps over my fence',
    'augusta sails past islands',
    '春眠于山中听雨写一首长诗',
    '(),;:?/&+*()_[]',
    'ada.lovelace walks her dog',
    'canada adapts to ada',
    'lovelace and the engine',
    'my keyslot opens slowly',
    'πολύ καλός κωδικός',
    '🚲🚀🌍🎈🎉🧩🪐🦊',
    'ALLCAPSBUTLONGISH',
  ])('accepts %s: no composition rules (49)', (password) => {
    expect(check(password)).toBeUndefined();
  });

  it.each([
    'correct horse battery staple',
    'correcthorsebatterystaple',
    'CorrectHorseBatteryStaple',
    'Correct Horse Battery Staple 2026!',
    'correct-horse-battery-staple',
    'correct, horse, battery, staple',
    'c0rrect h0rse b4ttery st4ple',
    'staple battery horse correct',
    'elpats yrettab esroh tcerroc',
    'correct horse battery staple correct horse battery staple',
    'Tr0ub4dor&3',
    'To be, or not to be: that is the question.',
    'the quick brown fox jumps over the lazy dog',
    'MayTheForceBeWithYou77',
    '床前明月光，疑是地上霜',
  ])('refuses %s, which is a well-known phrase (51)', (password) => {
    expect(check(password)).toBe('password-common');
  });

  it.each([
    ['the display name', 'Augusta King-Noël 1815'],
    ['the display name without its signs', 'augustakingnoël1815'],
    ['parts of the display name', 'King.Augusta.1815'],
    ['the display name in capitals', 'AUGUSTA!1815!1852'],
    ['the display name without its accents', 'augustakingnoel1815'],
    ['the display name reversed', 'atsugua-1815-1852'],
    ['the mailbox and digits', 'countess123456789'],
    ['digits and the mailbox', '2026countess2026'],
    ['the mailbox reversed', 'ssetnuoc12345678'],
    ['the domain of the address', 'example.com12345'],
    ['the user name reversed', 'ecalevol.ada'],
    ['the user name reversed, and digits', 'ecalevolada12345'],
    ['several of them', 'countess augusta lovelace'],
  ])('refuses %s: %s (51)', (_, password) => {
    expect(check(password)).toBe('password-common');
  });

  it.each([
    ['林黛玉', '林黛玉林黛玉20260101'],
    ['李明', '李明李明2026010112345'],
    ['user1', 'user1user1user1'],
    ['thibaudcolas', 'thibaudcolas123'],
    ['émilebeaulieu', 'emilebeaulieu123'],
    ['josé.hernández', 'josehernandez2026'],
    ['müllerhansi', 'mullerhansi12345'],
    ['emilebeaulieu2', 'émilebeaulieu2123'],
    ['strasseweg', 'straßeweg1234567'],
  ])(
    'refuses for %s the password %s, which is hardly more than the name (51)',
    (username, password) => {
      expect(checkPassword(password, 8, { username })?.code).toBe('password-common');
    },
  );

  it.each([
    ['li', 'the olive lies on linen'],
    ['eli', 'delicate elixirs believe'],
    ['林黛玉', '林黛玉喝茶看书听雨写诗'],
  ])('accepts for %s the password %s, which only contains the name', (username, password) => {
    expect(checkPassword(password, 8, { username })).toBeUndefined();
  });

  it.each(['\0', '\n', '\t', '\u001b', '\u007f', '\u0085'])(
    'refuses the control character %j at any position (50)',
    (char) => {
      for (const password of [
        `${char}violet engines`,
        `violet${char}engines`,
        `violet engines${char}`,
      ]) {
        expect(check(password)).toBe('control-characters');
      }
    },
  );

  it('counts code points, not bytes or UTF-16 units (47)', () => {
    expect(check('🚲🚀🌍🎈🎉🧩🪐', 8)).toBe('too-short');
    expect(check('🚲🚀🌍🎈🎉🧩🪐🦊', 8)).toBeUndefined();
    expect(check('violet engines', 15)).toBe('too-short');
  });

  it('accepts 256 characters and refuses 257, quickly even for a megabyte (48)', () => {
    const long = 'violet engines hum at dawn '.repeat(10);
    expect(check(long.slice(0, 256))).toBeUndefined();
    expect(check(long.slice(0, 257))).toBe('too-long');
    expect(check('🚲🚀'.repeat(500_000))).toBe('too-long');
  });
});
