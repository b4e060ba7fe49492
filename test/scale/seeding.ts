import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import type { LuaScript, RedisCluster } from '../../src/redis-cluster/index.js';

const CALLS_PER_BATCH = 500;

type RestOfCall = Parameters<RedisCluster['run']> extends [unknown, ...infer Rest] ? Rest : never;
type Call = readonly [script: string, keys: readonly string[], args: readonly string[]];

/**
 * Writes many users quickly: collects the scripts that the product runs, with their keys and arguments, and runs them in batches on
 * the masters, without WAIT. The data are the same, but not durable.
 *
 * @param scripts those that are collected
 * @param work runs these scripts, and ignores their replies
 */
export async function inBatches(
  cluster: EmbeddedCluster,
  redis: RedisCluster,
  scripts: readonly LuaScript<unknown>[],
  work: () => Promise<void>,
): Promise<void> {
  const source = batchOf(scripts);
  const pending = new Map<number, Call[]>();
  /** The last batch of each master. The next one waits for it. */
  const sent = new Map<number, Promise<unknown>>();
  const flush = async (port: number): Promise<void> => {
    await sent.get(port);
    const calls = pending.get(port) ?? [];
    pending.delete(port);
    if (calls.length > 0) {
      await cluster.call(port, 'EVAL', source, 0, JSON.stringify(calls));
    }
  };
  const collect = async (
    { name }: LuaScript<unknown>,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<void> => {
    const port = Number(redis.masterOf(keys[0]!)?.split(':').at(-1));
    const calls = pending.get(port) ?? [];
    pending.set(port, calls);
    calls.push([name, keys, args.map(String)]);
    if (calls.length === CALLS_PER_BATCH) {
      sent.set(port, flush(port));
    }
    await sent.get(port);
  };
  const methods = ['run', 'runDurably'] as const;
  for (const method of methods) {
    const original = redis[method].bind(redis);
    // The instance also works in the background.
    redis[method] = async <Reply>(script: LuaScript<Reply>, ...call: RestOfCall) =>
      scripts.some(({ name }) => name === script.name)
        ? ((await collect(script, call[0], call[1])) as never)
        : original(script, ...call);
  }
  try {
    await work();
    await Promise.all([...pending.keys()].map(flush));
  } finally {
    methods.forEach((method) => Reflect.deleteProperty(redis, method));
  }
}

/** Each script as a function, called for each element of a JSON list. */
function batchOf(scripts: readonly LuaScript<unknown>[]): string {
  const functions = scripts.map(
    ({ name, source }) => `scripts['${name}'] = function(KEYS, ARGV)\n${source}\nend`,
  );
  return [
    'local scripts = {}',
    ...functions,
    'for _, call in ipairs(cjson.decode(ARGV[1])) do scripts[call[1]](call[2], call[3]) end',
  ].join('\n');
}
