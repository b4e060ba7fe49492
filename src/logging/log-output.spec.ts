import { partsOf } from './log-output.js';

describe('the parts of a log that several processes write', () => {
  it('are complete lines of at most the given size, in order', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `${'ä'.repeat(index % 40)}${index}\n`);

    const parts = partsOf(lines.join(''), 1000);

    expect(parts.join('')).toBe(lines.join(''));
    expect(parts.filter((part) => !part.endsWith('\n'))).toEqual([]);
    expect(Math.max(...parts.map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(1000);
    expect(parts.length).toBeLessThan(lines.length / 10);
  });

  it('keep a longer line in one piece, and the rest of a text without an end of line', () => {
    expect(partsOf(`a\n${'b'.repeat(20)}\nc`, 10)).toEqual(['a\n', `${'b'.repeat(20)}\n`, 'c']);
    expect(partsOf('', 10)).toEqual([]);
  });
});
