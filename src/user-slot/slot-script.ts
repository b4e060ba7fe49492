import { LuaScript } from '../redis-cluster/index.js';

/** A script of this module. What it does, takes and returns is written at its head. */
export function slotScript<Reply>(
  name: string,
  parse: (reply: unknown) => Reply,
): LuaScript<Reply> {
  return LuaScript.fromFile(new URL(`./scripts/${name}.lua`, import.meta.url), parse);
}

export const isOne = (reply: unknown): boolean => reply === 1;
