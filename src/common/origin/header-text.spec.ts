import { headerText, truncated } from './header-text.js';

/** In the form that Node provides: one character for each byte. */
const received = (text: string, encoding: BufferEncoding): string =>
  Buffer.from(text, encoding).toString('latin1');

describe('the text of a header for display', () => {
  it.each(['José', '浏览器', 'an emoji 😀', 'plain/1.0 (X11; Linux)', ''])(
    'is read as UTF-8 when its bytes are valid UTF-8: %j',
    (text) => {
      expect(headerText(received(text, 'utf8'))).toBe(text);
    },
  );

  it('is read as Latin-1 when its bytes are not valid UTF-8', () => {
    expect(headerText(received('José', 'latin1'))).toBe('José');
    expect(headerText('\u00ff\u00fe')).toBe('ÿþ');
  });

  it.each([
    ['C0 controls', 'a\tb\u007fc'],
    ['C1 controls in Latin-1', 'a\u0085b\u009bc'],
    ['C1 controls in UTF-8', received('a\u0085b\u009bc', 'utf8')],
    ['line separators', received('a\u2028b\u2029c', 'utf8')],
    ['direction overrides', received('a\u202eb\u2066c', 'utf8')],
  ])('is stripped of %s', (_, value) => {
    expect(headerText(value)).toBe('abc');
  });

  it('is truncated between characters, never within a surrogate pair', () => {
    expect(truncated('ab😀', 3)).toBe('ab');
    expect(truncated('ab😀', 4)).toBe('ab😀');
    expect(truncated('abc', 4)).toBe('abc');
  });
});
