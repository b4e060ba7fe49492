import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LuaScript } from '../../src/redis-cluster/index.js';

/** A script for a test. */
export function luaScript(source: string): LuaScript<unknown> {
  return LuaScript.fromText('a script of a test', source, (reply) => reply);
}

/** All scripts of the product, with their includes, and those that run within a script of the near cache. */
export function productScripts(): LuaScript<unknown>[] {
  const unparsed = (reply: unknown): unknown => reply;
  const scripts = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.lua') && !file.includes('/includes/'))
    .map((file) => LuaScript.fromFile(pathToFileURL(resolve(join('src', file))), unparsed));
  const outer = scripts.filter(({ source }) => source.includes('--- @script'));
  return [
    ...scripts,
    ...scripts.flatMap((inner) => outer.map((whole) => inner.within(whole, unparsed))),
  ];
}
