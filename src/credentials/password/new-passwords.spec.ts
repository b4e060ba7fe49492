import { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import { Argon2PasswordHasher } from './argon2-password-hasher.js';
import type { FactorWriter } from '../../user-slot/write/index.js';
import { HashingQueue } from './hashing-queue.js';
import { NewPasswords } from './new-passwords.js';
import type { PasswordOptions } from './password.options.js';

const TURN = { network: '192.0.2.1', account: 'ada', isKnown: false };

describe('new passwords', () => {
  const queue = new HashingQueue(new Argon2PasswordHasher(), {});
  const accept = (password: string, options: PasswordOptions = {}) =>
    // Without a look-up of factors.
    new NewPasswords(queue, undefined as unknown as FactorWriter, options).accept(
      new Secret(password),
      { username: 'ada-lovelace' },
    );

  it('are hashed when they comply with the policy', async () => {
    const accepted = accept('violet engines hum at dawn');

    expect(accepted.isAccepted).toBe(true);
    const hash = 'hash' in accepted && (await accepted.hash(Deadline.none, TURN));
    const isRight = async (password: string): Promise<boolean> =>
      queue.verify((hash as Secret).reveal(), new Secret(password), Deadline.none);
    expect(await isRight('violet engines hum at dawn')).toBe(true);
    expect(await isRight('violet engines hum at dusk')).toBe(false);
  });

  it.each([
    ['too short by default', 'violet engines', {}, 'too-short'],
    ['shorter than configured', 'violet engines hum', { passwordMinLength: 20 }, 'too-short'],
    ['made of the user name', 'ada.lovelace.1815', {}, 'password-common'],
  ])('cannot be hashed when they are %s (51)', (_, password, options, code) => {
    const refused = accept(password, options);

    expect(refused).toMatchObject({ isAccepted: false, failure: { code } });
    expect(refused).not.toHaveProperty('hash');
  });
});
