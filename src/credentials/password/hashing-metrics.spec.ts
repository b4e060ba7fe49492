import { Deadline } from '../../common/deadline/index.js';
import { Secret } from '../../common/secret/index.js';
import { MetricsRegistry } from '../../metrics/index.js';
import { Argon2PasswordHasher } from './argon2-password-hasher.js';
import { HashingQueue } from './hashing-queue.js';

const password = new Secret('violet engines hum at dawn');

describe('the metrics of the hashing queue', () => {
  it('report how many hashes are waiting and running, and how many were refused, by reason', async () => {
    const registry = new MetricsRegistry();
    const options = { hashing: { concurrency: 1, maxWaiting: 3 } };
    const queue = new HashingQueue(new Argon2PasswordHasher(), options, registry);
    const told = async (): Promise<string[]> =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => /^keyslot_password_hashing_(?!.*(?:bucket|sum))/.test(line))
        .map((line) => line.replace('keyslot_password_hashing_', ''));

    const hashes = Array.from({ length: 6 }, () => queue.hash(password, Deadline.none));
    const results = Promise.allSettled(hashes);
    expect(await told()).toEqual([
      'waiting 3',
      'running 1',
      'refused_total{reason="full"} 2',
      'refused_total{reason="late"} 0',
      'duration_seconds_count 0',
    ]);
    await results;
    await queue.hash(password, Deadline.after(0)).catch(() => undefined);

    expect(await told()).toEqual([
      'waiting 0',
      'running 0',
      'refused_total{reason="full"} 2',
      'refused_total{reason="late"} 1',
      'duration_seconds_count 4',
    ]);
  });
});
