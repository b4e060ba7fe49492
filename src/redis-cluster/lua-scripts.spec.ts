import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const source = new URL('..', import.meta.url).pathname;
const scripts = (readdirSync(source, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.lua'))
  .map((name): [string, string] => [name, readFileSync(join(source, name), 'utf8')]);

const numbersIn = (text: string, pattern: RegExp): number[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => Number(match[1])))].sort((a, b) => a - b);

describe('the Lua scripts', () => {
  it('are found', () => expect(scripts.length).toBeGreaterThan(10));

  it.each(scripts)('%s says at its head which keys and arguments it uses', (_, text) => {
    const lines = text.split('\n');
    const end = lines.findIndex((line) => !line.startsWith('--'));
    const [head, body] = [lines.slice(0, end).join('\n'), lines.slice(end).join('\n')];

    expect(numbersIn(body, /KEYS\[(\d+)\]/g)).toEqual(numbersIn(head, /KEYS\[(\d+)\]/g));
    const documented = numbersIn(head, /ARGV\[(\d+)\]/g);
    for (const used of [
      ...numbersIn(body, /ARGV\[(\d+)\]/g),
      ...numbersIn(body, /ARGV, (\d+)\)/g),
    ]) {
      expect(documented).toContain(used);
    }
    expect(head).toMatch(/-- Version \d+/);
    expect(head).toMatch(/-- Returns /);
  });

  it.each(scripts)('%s builds no key of its own', (_, text) => {
    expect(text).not.toMatch(/redis\.call\('[A-Z]+', (?!KEYS\[)['"\w]/);
  });
});
