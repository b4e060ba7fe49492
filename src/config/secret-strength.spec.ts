import { isWeakSecret } from './secret-strength.js';

const RANDOM = 'b7Wq0zNf4KxT9eLs2HvJc8RmYd3GpA6u';

describe('a secret', () => {
  it('is accepted when it is random', () => {
    expect(isWeakSecret(RANDOM)).toBe(false);
  });

  it.each([
    ['one letter', 's'.repeat(40)],
    ['a repeated text', 'abcdefgh12345678'.repeat(2)],
    ['a repeated text with a separator', Array(2).fill('keyslot-secret-production').join('-')],
    ['a placeholder', `changeme-${RANDOM}`],
    ['another placeholder', `replace_me_${RANDOM}`],
    ['a value from the documentation', `your-secret-${RANDOM}`],
  ])('is weak when it is %s (26)', (_, secret) => {
    expect(isWeakSecret(secret)).toBe(true);
  });
});
