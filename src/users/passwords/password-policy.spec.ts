import { checkPassword } from './password-policy.js';

const check = (password: string, minLength = 8): string | undefined =>
  checkPassword(password, minLength, { username: 'ada.lovelace', email: 'countess@example.com' })
    ?.code;

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
  ])('refuses %s, which is guessed early (51)', (password) => {
    expect(check(password)).toBe('password-common');
  });

  it.each([
    'violet engines hum at dawn',
    'correct horse battery staple',
    'ada.lovelace walks her dog',
    'πολύ καλός κωδικός',
    '🚲🚀🌍🎈🎉🧩🪐🦊',
    'ALLCAPSBUTLONGISH',
  ])('accepts %s: no rules of composition (49)', (password) => {
    expect(check(password)).toBeUndefined();
  });

  it('counts characters as people do, not bytes or halves (47)', () => {
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
