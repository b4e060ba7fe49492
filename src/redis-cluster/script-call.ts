import type { ChainableCommander } from 'ioredis';

import { askTarget, isUnknownScript } from './error-replies.js';
import type { LuaScript } from './lua-script.js';
import type { NatMap } from './redis-cluster.options.js';

/** One call of a script. */
export interface ScriptCall<Reply = unknown> {
  readonly script: LuaScript<Reply>;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** Send the source: the node does not have the script in its cache. */
  readonly withSource: boolean;
  /** `host:port` of the node that imports the slot, from an `ASK` redirection. */
  readonly askNode?: string | undefined;
}

/** @returns one flag for each appended command: whether its reply is the reply of the script */
export function appendCall(pipeline: ChainableCommander, call: ScriptCall): boolean[] {
  const isAsking = call.askNode !== undefined;
  if (isAsking) {
    pipeline.asking();
  }
  const rest = [call.keys.length, ...call.keys, ...call.args] as const;
  if (call.withSource) {
    pipeline.eval(call.script.source, ...rest);
  } else {
    pipeline.evalsha(call.script.sha1, ...rest);
  }
  return isAsking ? [false, true] : [true];
}

/**
 * @param natMap as in RedisClusterOptions
 * @returns the corrected call, to be sent at once; undefined when the error is neither NOSCRIPT nor ASK
 */
export function correctedCall<Reply>(
  error: Error,
  call: ScriptCall<Reply>,
  natMap: NatMap = {},
): ScriptCall<Reply> | undefined {
  if (isUnknownScript(error)) {
    return { ...call, withSource: true };
  }
  const announced = askTarget(error);
  if (announced === undefined || call.askNode !== undefined) {
    return undefined;
  }
  const reachable = natMap[announced];
  return { ...call, askNode: reachable ? `${reachable.host}:${reachable.port}` : announced };
}
