import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LuaScript } from './lua-script.js';

describe('a Lua script in a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-lua-'));
    mkdirSync(join(folder, 'includes'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, ...lines: string[]): void =>
    writeFileSync(join(folder, `${name}.lua`), `${lines.join('\n')}\n`);
  const load = (name: string): LuaScript<string> =>
    LuaScript.fromFile(pathToFileURL(join(folder, `${name}.lua`)), String);

  it('contains its includes in place of the include lines', () => {
    write('includes/one', 'local function one() return 1 end');
    write('main', '-- KEYS[1] a key', '--- @include "one"', 'return one()');

    expect(load('main').source).toBe(
      '-- KEYS[1] a key\nlocal function one() return 1 end\nreturn one()\n',
    );
  });

  it('contains each include once, before its first use, including nested ones', () => {
    write('includes/base', 'base');
    write('includes/left', '--- @include "base"', 'left');
    write('includes/right', '--- @include "base"', '--- @include "left"', 'right');
    write('main', '--- @include "left"', '--- @include "right"', '--- @include "base"', 'main');

    expect(load('main').source.split('\n').filter(Boolean)).toEqual([
      'base',
      'left',
      'right',
      'main',
    ]);
  });

  it('supports includes that include each other', () => {
    write('includes/left', '--- @include "right"', 'left');
    write('includes/right', '--- @include "left"', 'right');
    write('main', '--- @include "left"', 'main');

    expect(load('main').source.split('\n').filter(Boolean)).toEqual(['right', 'left', 'main']);
  });

  it('prefers its own include to a shared one of the same name', () => {
    write('main', '--- @include "now"');
    expect(load('main').source).toContain("redis.call('TIME')");

    write('includes/now', 'own');
    expect(load('main').source).toBe('own\n');
  });

  it('fails to load when an include does not exist', () => {
    write('main', '--- @include "nowhere"');

    expect(() => load('main')).toThrow('includes "nowhere", which does not exist');
  });

  it('takes as many keys as its header declares', () => {
    write('includes/one', '-- No keys of its own.', 'local function one(a_key) return a_key end');
    write('main', '-- KEYS[1] a', '-- KEYS[2] b', '--- @include "one"', 'return one(KEYS[1])');

    expect(load('main').numberOfKeys).toBe(2);
  });
});
