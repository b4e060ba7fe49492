import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LuaScript } from './lua-script.js';

const source = new URL('..', import.meta.url).pathname;
const files = (readdirSync(source, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.lua'))
  .map((name): [string, string] => [name, readFileSync(join(source, name), 'utf8')]);
const isInclude = ([name]: [string, string]): boolean => name.includes('/includes/');
const includes = files.filter(isInclude);
const scripts = files.filter((file) => !isInclude(file));
/** The functions of includes, and how many of their leading parameters are keys. */
const keyParameters = new Map(
  includes.flatMap(([, text]) =>
    [...text.matchAll(/^local function (\w+)\((.*)\)$/gm)].map(([, name = '', list = '']) => {
      const first = list.split(', ').findIndex((parameter) => !parameter.endsWith('_key'));
      return [name, first === -1 ? list.split(', ').length : first] as const;
    }),
  ),
);
/** The keys that calls of those functions pass. */
const keysPassedIn = (text: string): string[] =>
  [...text.matchAll(/(?<!function )\b(\w+)\((?=([^()]*))/g)].flatMap(([, name = '', list = '']) =>
    list.split(', ').slice(0, keyParameters.get(name) ?? 0),
  );

const numbersIn = (text: string, pattern: RegExp): number[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => Number(match[1])))].sort((a, b) => a - b);

describe('the Lua scripts', () => {
  it('are found', () => expect(scripts.length).toBeGreaterThan(10));

  it.each(scripts)('%s documents its keys and arguments in its header', (_, text) => {
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

  it.each(scripts)('%s composes no key itself', (_, text) => {
    expect(text).not.toMatch(/redis\.call\('[A-Z]+', (?!KEYS\[)['"\w]/);
    expect(keysPassedIn(text).filter((key) => !/^KEYS\[\d+\]$/.test(key))).toEqual([]);
  });

  it.each(includes)(
    '%s documents its purpose, and receives keys and arguments as parameters',
    (_, text) => {
      expect(text).toMatch(/^--[^-]/m);
      expect(text).not.toMatch(/KEYS|ARGV/);
      expect(text).not.toMatch(/redis\.call\('[A-Z]+', (?!\w+_key\b)['"\w]/);
      expect(keysPassedIn(text).filter((key) => !key.endsWith('_key'))).toEqual([]);
    },
  );

  it.each(scripts)('%s includes the functions that it calls, and nothing else', (name, text) => {
    const known = new Set(keyParameters.keys());
    const whole = LuaScript.fromFile(pathToFileURL(join(source, name)), String).source;
    const functionsIn = (lua: string): string[] =>
      [...lua.matchAll(/^local function (\w+)\(/gm)].map(([, found = '']) => found);
    const called = [...whole.matchAll(/(?<!function )\b(\w+)\(/g)]
      .map(([, found = '']) => found)
      .filter((found) => known.has(found));

    expect(functionsIn(whole)).toEqual(expect.arrayContaining(called));
    for (const [, include = ''] of text.matchAll(/^--- @include "(.+)"$/gm)) {
      const file = files.find(([path]) => path.endsWith(`/includes/${include}.lua`));
      const isUsed = functionsIn(file![1]).some((found) => called.includes(found));
      expect({ include, isUsed }).toEqual({ include, isUsed: true });
    }
  });
});
