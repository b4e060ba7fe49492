import { passwordHasherContract } from '../../src/contracts/index.js';
import { Argon2PasswordHasher } from '../../src/users/index.js';

describe('Argon2id', () => {
  passwordHasherContract({ describe, it }, () => new Argon2PasswordHasher());
});
