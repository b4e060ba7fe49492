import { Clock } from '../common/clock/index.js';
import type { Readiness, ReadinessReport } from '../health/index.js';
import type { InstanceRegistry, ListedInstance, NearCache } from '../near-cache/index.js';
import { ClusterStatus } from './cluster-status.js';

const REPORT = { status: 'not-ready', checks: { redis: null }, nodes: null };

describe('the state of the cluster', () => {
  it('is read once for concurrent callers, and anew for later ones', async () => {
    const lists: ((instances: ListedInstance[]) => void)[] = [];
    const status = new ClusterStatus(
      { check: async () => Promise.resolve(REPORT as ReadinessReport) } as Readiness,
      {
        list: async () => new Promise<ListedInstance[]>((answer) => lists.push(answer)),
      } as unknown as InstanceRegistry,
      { holderId: 'a' } as NearCache,
      new Clock(),
    );

    const many = Array.from({ length: 50 }, async () => status.read());
    expect(lists).toHaveLength(1);
    lists[0]!([]);
    expect(new Set(await Promise.all(many)).size).toBe(1);

    const late = status.read();
    lists[1]!([]);
    expect((await late).instances).toEqual([]);
  });
});
