import { parseClusterView, type ClusterView } from './cluster-view.js';
import { reportOf as reportWith } from './redis-cluster.health.js';

interface Described {
  readonly flags?: string;
  readonly link?: string;
  readonly slots?: string;
  readonly master?: string;
  readonly heardAt?: number;
}

const WHOLE: Readonly<Record<string, Described>> = {
  a: { flags: 'master', slots: '0-5460' },
  b: { flags: 'master', slots: '5461-10921' },
  c: { flags: 'master', slots: '10922-16383' },
  d: { flags: 'slave', master: 'a' },
  e: { flags: 'slave', master: 'b' },
  f: { flags: 'slave', master: 'c' },
};

const PORTS: Readonly<Record<string, number>> = {
  a: 7001,
  b: 7002,
  c: 7003,
  d: 7004,
  e: 7005,
  f: 7006,
};

/** The view of one node, as differences from a healthy cluster. */
function view(
  of: string,
  differences: Readonly<Record<string, Described>> = {},
  info = 'cluster_state:ok\r\ncluster_current_epoch:5\r\n',
): ClusterView {
  const lines = Object.entries({ ...WHOLE, ...differences }).map(([id, node]) => {
    const {
      flags = '',
      link = 'connected',
      slots = '',
      master = '-',
      heardAt = 0,
    } = { ...WHOLE[id], ...node };
    const own = id === of ? `myself,${flags}` : flags;
    return `${id} 127.0.0.1:${PORTS[id]}@17000 ${own} ${master} 0 ${heardAt} 1 ${link}${slots && ` ${slots}`}`;
  });
  return parseClusterView(info, lines.join('\n'));
}
const everywhere = (differences: Readonly<Record<string, Described>>, ...of: string[]) =>
  of.map((id) => view(id, differences));

const NOTICED_AT = Date.UTC(2026, 0, 2);
const reportOf = (views: readonly ClusterView[]) => reportWith(views, () => NOTICED_AT);

describe('the state of the cluster', () => {
  it('counts masters, replicas and slots', () => {
    const report = reportOf(everywhere({}, 'a', 'b', 'c', 'd', 'e'));

    expect(report.state).toEqual({
      isHealthy: true,
      masters: 3,
      unreachedMasters: 0,
      replicas: 3,
      singleCopyShards: [],
      uncoveredSlots: 0,
    });
    expect(report.isReached).toBe(true);
  });

  it.each([
    ['has failed', { flags: 'master,fail' }],
    ['is suspected', { flags: 'master,fail?' }],
    ['is cut off from the others', { link: 'disconnected' }],
  ])('ignores a node at once that %s, and does not report it as unreachable', (_, a) => {
    const report = reportOf(everywhere({ a }, 'b', 'c', 'd', 'e'));

    expect(report.state).toMatchObject({
      isHealthy: false,
      masters: 2,
      unreachedMasters: 0,
      uncoveredSlots: 5461,
    });
    expect(report.isReached).toBe(true);
  });

  it('reports a healthy master that this instance cannot reach', () => {
    const report = reportOf(everywhere({}, 'b', 'c', 'd', 'e'));

    expect(report.state).toMatchObject({ isHealthy: true, masters: 3, unreachedMasters: 1 });
    expect(report.isReached).toBe(false);
  });

  it('does not report a node as down because one other node has lost its link to it', () => {
    const a = { flags: 'master,fail?' };
    const report = reportOf([view('b', { a }), ...everywhere({}, 'c', 'd', 'e')]);

    expect(report.state).toMatchObject({ masters: 3, unreachedMasters: 1 });
  });

  it('uses the view with the newest epoch, not that of a master that missed the failover', () => {
    const after = {
      a: { flags: 'master', slots: '' },
      d: { flags: 'master', slots: '0-5460' },
    };
    const newer = 'cluster_state:ok\r\ncluster_current_epoch:6\r\n';
    const report = reportOf([view('a'), view('b', after, newer), view('c', after, newer)]);

    expect(report.state).toMatchObject({ masters: 3, unreachedMasters: 1, uncoveredSlots: 0 });
  });

  it('uses only the views of serving nodes, not those of a minority partition', () => {
    const others = { b: { flags: 'master,fail?' }, c: { flags: 'master,fail?' } };
    const alone = ['a', 'd'].map((id) => view(id, others, 'cluster_state:fail'));

    expect(reportOf(alone).isReached).toBe(false);
    expect(reportOf([...alone, view('e')]).state).toMatchObject({
      masters: 3,
      unreachedMasters: 2,
    });
  });

  it('reports a shard whose replica is down, since when, and what a second loss costs', () => {
    const lost = { flags: 'slave,fail', heardAt: Date.UTC(2026, 0, 1) };

    const { singleCopyShards } = reportOf(everywhere({ e: lost }, 'a', 'b', 'c')).state;

    expect(singleCopyShards).toEqual([
      {
        master: '127.0.0.1:7002',
        slots: 5461,
        since: '2026-01-01T00:00:00.000Z',
        risk:
          'If 127.0.0.1:7002 is lost too, requests of users in 5461 of 16384 slots get 503, and their changes since ' +
          '2026-01-01T00:00:00.000Z may be lost.',
      },
    ]);
  });

  it('reports a promoted replica as the only copy until the old master is back, since it was noticed', () => {
    const after = {
      a: { flags: 'master,fail', slots: '' },
      d: { flags: 'master', slots: '0-5460', master: '-' },
    };

    const { singleCopyShards } = reportOf(everywhere(after, 'b', 'c', 'd', 'e', 'f')).state;

    expect(singleCopyShards).toMatchObject([
      { master: '127.0.0.1:7004', since: new Date(NOTICED_AT).toISOString() },
    ]);
  });

  it('reports that no master is reachable when none is left', () => {
    const [a, b, c] = Array.from({ length: 3 }, () => ({ link: 'disconnected' }));
    const report = reportOf(everywhere({ a: a!, b: b!, c: c! }, 'd', 'e'));

    expect(report.isReached).toBe(false);
  });

  it('reports whether a master serves a key', () => {
    const report = reportOf(everywhere({ a: { flags: 'master,fail' } }, 'b', 'c'));

    expect(report.isServed('foo')).toBe(true); // slot 12182
    expect(report.isServed('bar')).toBe(false); // slot 5061
  });

  it('counts single slots, and counts migrating slots for their old node', () => {
    const a = { slots: '0-5458 5459 5460 [5460->-other]' };

    expect(reportOf(everywhere({ a }, 'a', 'b', 'c')).state.uncoveredSlots).toBe(0);
  });
});
