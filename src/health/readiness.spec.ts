import type { SigningKeys } from '../keys/index.js';
import type { NearCache } from '../near-cache/index.js';
import type {
  EvictionPolicy,
  RedisClusterHealth,
  RedisClusterReport,
} from '../redis-cluster/index.js';
import { Readiness } from './readiness.js';

const REPORT = {
  state: {
    isHealthy: true,
    masters: 3,
    unreachedMasters: 0,
    replicas: 3,
    singleCopyShards: [],
    uncoveredSlots: 0,
  },
  nodes: [],
  isReached: true,
  isServed: () => true,
} as RedisClusterReport;

const SHARD = { master: '10.0.0.1:7000', slots: 5461, since: '2026-01-01T00:00:00.000Z', risk: '' };

describe('readiness', () => {
  it('shares one check among concurrent callers, and runs a new one for later callers', async () => {
    const answers: ((report: RedisClusterReport) => void)[] = [];
    const health = {
      check: async () => new Promise<RedisClusterReport>((answer) => answers.push(answer)),
    } as RedisClusterHealth;
    const readiness = new Readiness(
      health,
      { isLoaded: true } as SigningKeys,
      { isTrusted: true } as NearCache,
      { name: null } as EvictionPolicy,
    );

    const many = Array.from({ length: 50 }, async () => readiness.check());
    expect(answers).toHaveLength(1);
    answers[0]!(REPORT);
    expect(new Set((await Promise.all(many)).map(({ status }) => status))).toEqual(new Set(['ok']));

    const late = readiness.check();
    answers[1]!({ ...REPORT, state: { ...REPORT.state, singleCopyShards: [SHARD] } });
    expect(await late).toMatchObject({ status: 'degraded' });
  });
});
