import type { ChainableCommander } from 'ioredis';

import { askTarget, isUnknownScript } from './error-replies.js';
import type { LuaScript } from './lua-script.js';
import type { NatMap } from './redis-cluster.options.js';

/** One run of a script, as it is sent. */
export interface ScriptCall<Reply = unknown> {
  readonly script: LuaScript<Reply>;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  /** Send the script itself, for a node that does not have it in its cache. */
  readonly withSource: boolean;
  /** `host:port` of the node that the slot is moving to, when the key is there already or would be. */
  readonly askNode?: string | undefined;
}

/** @returns for each command that was appended, whether its reply is the script's */
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
 * @returns the call as the node asked for it to be made, at once; undefined when the error says nothing about that
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
