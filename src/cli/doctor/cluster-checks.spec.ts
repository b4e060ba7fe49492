import { parseClusterNodes } from '../../redis-cluster/index.js';
import { checkMembers } from './cluster-checks.js';
import type { Finding } from './finding.js';

describe('the checks of the whole cluster', () => {
  const master = (id: string, port: number, slots: string, flags = 'master'): string =>
    `${id} 10.0.0.1:${port}@1${port} ${flags} - 0 1 1 connected ${slots}`.trim();
  const replica = (id: string, masterId: string, flags = 'slave', link = 'connected'): string =>
    `${id} 10.0.0.2:6379@16379 ${flags} ${masterId} 0 1 1 ${link}`;
  const MASTERS = [
    master('a', 6379, '0-5460'),
    master('b', 6380, '5461-10922'),
    master('c', 6381, '10923-16383'),
  ];
  const findingsOf = (lines: readonly string[], requireReplica = false): Finding[] =>
    checkMembers(parseClusterNodes(lines.join('\n')), requireReplica);
  const replicasOf = (lines: readonly string[], requireReplica = false): Finding =>
    findingsOf(lines, requireReplica).find(({ check }) => check === 'replicas')!;

  it.each([
    ['one replica each', ['a', 'b', 'c']],
    ['a spare replica', ['a', 'b', 'c', 'c']],
    ['two replicas each', ['a', 'a', 'b', 'b', 'c', 'c']],
  ])('accept masters with %s', (_, followed) => {
    const lines = [...MASTERS, ...followed.map((id, index) => replica(`r${index}`, id))];

    for (const requireReplica of [false, true]) {
      expect(findingsOf(lines, requireReplica).map(({ level }) => level)).toEqual([
        'ok',
        'ok',
        'ok',
      ]);
    }
  });

  it.each([
    ['no replica', []],
    ['a failed replica', [replica('r', 'b', 'slave,fail')]],
    ['a suspected replica', [replica('r', 'b', 'slave,fail?')]],
    ['a replica without a connection', [replica('r', 'b', 'slave', 'disconnected')]],
    ['a replica that has moved to another master', [replica('r', 'c')]],
  ])('warn about a master with %s, and fail if a replica is required', (_, more) => {
    const lines = [...MASTERS, replica('ra', 'a'), replica('rc', 'c'), ...more];

    const found = replicasOf(lines);
    expect(found).toMatchObject({ level: 'warning', text: 'one copy: 10.0.0.1:6380' });
    expect(found.remedy).toMatch(/^Start a replica, or add one\..*lose acknowledged changes$/);
    const strict = replicasOf(lines, true);
    expect(strict).toMatchObject({ level: 'failed', text: 'one copy: 10.0.0.1:6380' });
    expect(strict.remedy).toMatch(/accepts no writes \(REDIS_REQUIRE_REPLICA\)$/);
  });

  it('do not expect a replica of a master that was replaced', () => {
    const lines = [
      master('old', 6390, '', 'master,fail'),
      ...MASTERS,
      ...['a', 'b', 'c'].map((id) => replica(`r${id}`, id)),
    ];

    expect(replicasOf(lines).level).toBe('ok');
  });
});
