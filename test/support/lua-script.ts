import { LuaScript } from '../../src/redis-cluster/index.js';

/** A script of a test's own. */
export function luaScript(source: string): LuaScript<unknown> {
  return LuaScript.fromText('a script of a test', source, (reply) => reply);
}
