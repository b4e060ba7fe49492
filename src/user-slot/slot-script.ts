import { LuaScript } from '../redis-cluster/index.js';

/** Loads a script of this module. The header of each script documents its keys, arguments and replies. */
export const slotScript = LuaScript.loaderFor(import.meta.url);

export const isOne = (reply: unknown): boolean => reply === 1;
