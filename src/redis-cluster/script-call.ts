import type { ChainableCommander } from 'ioredis';

import type { LuaScript } from './lua-script.js';

/** One run of a script, as it is sent. */
export interface ScriptCall {
  readonly script: LuaScript<unknown>;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** Send the script itself, for a node that does not have it in its cache. */
  readonly withSource: boolean;
}

export function appendTo(pipeline: ChainableCommander, call: ScriptCall): void {
  const rest = [call.keys.length, ...call.keys, ...call.args] as const;
  if (call.withSource) {
    pipeline.eval(call.script.source, ...rest);
  } else {
    pipeline.evalsha(call.script.sha1, ...rest);
  }
}
