import { LuaScript } from '../redis-cluster/index.js';

/** Loads a script of this module. What it does, takes and returns is written at its head. */
export const slotScript = LuaScript.loaderFor(import.meta.url);

export const isOne = (reply: unknown): boolean => reply === 1;
