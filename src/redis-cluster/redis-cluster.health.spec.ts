import { parseClusterView, type ClusterView } from './cluster-view.js';
import { reportOf } from './redis-cluster.health.js';

interface Described {
  readonly flags?: string;
  readonly link?: string;
  readonly slots?: string;
}

const WHOLE: Readonly<Record<string, Described>> = {
  a: { flags: 'master', slots: '0-5460' },
  b: { flags: 'master', slots: '5461-10921' },
  c: { flags: 'master', slots: '10922-16383' },
  d: { flags: 'slave' },
  e: { flags: 'slave' },
};

/** The view of one node, as differences from a healthy cluster. */
function view(
  of: string,
  differences: Readonly<Record<string, Described>> = {},
  info = 'cluster_state:ok\r\ncluster_current_epoch:5\r\n',
): ClusterView {
  const lines = Object.entries({ ...WHOLE, ...differences }).map(([id, node]) => {
    const { flags = '', link = 'connected', slots = '' } = { ...WHOLE[id], ...node };
    const own = id === of ? `myself,${flags}` : flags;
    return `${id} 127.0.0.1:7000@17000 ${own} - 0 0 1 ${link}${slots && ` ${slots}`}`;
  });
  return parseClusterView(info, lines.join('\n'));
}
const everywhere = (differences: Readonly<Record<string, Described>>, ...of: string[]) =>
  of.map((id) => view(id, differences));

describe('the state of the cluster', () => {
  it('counts masters, replicas and slots', () => {
    const report = reportOf(everywhere({}, 'a', 'b', 'c', 'd', 'e'));

    expect(report.state).toEqual({
      isHealthy: true,
      masters: 3,
      unreachedMasters: 0,
      replicas: 2,
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
