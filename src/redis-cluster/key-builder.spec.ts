import { KeyBuilder } from './key-builder.js';

describe('KeyBuilder', () => {
  const keys = new KeyBuilder('ks:');

  it('puts all keys of a tag into one slot', () => {
    expect(keys.key(['user', '42'], 'session', 'a-b_c')).toBe('ks:v1:{user.42}:session:a-b_c');
  });

  it.each(['', 'a:b', '{x}', 'a}', '*', 'a b', 'a\r\nb', 'a\0', 'é', 'a'.repeat(129)])(
    'refuses input that could produce another key: %j (78)',
    (part) => {
      expect(() => keys.key(['user', part], 'record')).toThrow();
      expect(() => keys.key(['user', '42'], part)).toThrow();
    },
  );

  it('matches its keys with a pattern, for any prefix', () => {
    const odd = new KeyBuilder('a.*?[b]\\c:');

    expect(odd.patternFor('user', 'record')).toBe('a.\\*\\?\\[b\\]\\\\c:v1:{user.*}:record');
    expect(odd.idIn(odd.key(['user', 'a-b_c'], 'record'))).toBe('a-b_c');
  });

  it('rejects a prefix that contains a hash tag', () => {
    expect(() => new KeyBuilder('a{b}')).toThrow('REDIS_KEY_PREFIX');
  });
});
