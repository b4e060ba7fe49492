import { Deadline } from '../../common/deadline/index.js';
import { LuaScript, type RedisCluster } from '../../redis-cluster/index.js';
import { RefusedRecord, type SourceRecord } from './imported-user.js';

const script = LuaScript.loaderFor(import.meta.url)('read-text', String);

/** Keys that are read at the same time. */
const BATCH = 200;
const READ_TIMEOUT_MS = 10_000;
/** A user is far smaller. */
const MAX_TEXT_LENGTH = 64 * 1024;

/**
 * Reads the JSON texts of all keys that match a pattern. The keys are listed first, which takes memory for each of them.
 *
 * @param redis the cluster of the keys
 * @param pattern of SCAN
 * @param exceptPrefix keys that begin like this are not read
 * @throws RedisUnavailableError, MissingRightError
 */
export async function* readRedisJson(
  redis: RedisCluster,
  pattern: string,
  exceptPrefix: string | undefined,
): AsyncGenerator<SourceRecord> {
  const found = await redis.scanKeys(pattern, Deadline.none);
  const keys = Array.from(found).filter(
    (key) => exceptPrefix === undefined || !key.startsWith(exceptPrefix),
  );
  for (let begin = 0; begin < keys.length; begin += BATCH) {
    const deadline = Deadline.after(READ_TIMEOUT_MS);
    yield* await Promise.all(
      keys.slice(begin, begin + BATCH).map(async (key) => ({
        position: { key },
        value: valueOf(await redis.run(script, [key], [], deadline)),
      })),
    );
  }
}

function valueOf(text: string): unknown {
  try {
    return text.length > MAX_TEXT_LENGTH ? new RefusedRecord('invalid-record') : JSON.parse(text);
  } catch {
    return new RefusedRecord('invalid-json');
  }
}
