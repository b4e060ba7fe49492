import { parseClusterNodes, type ClusterNode } from './cluster-nodes.js';
import { countPromotableReplicas as count } from './promotable-replicas.js';

const NOW = Date.UTC(2026, 0, 1);
/** Flags, master and slots of each node. `~9`: it was last heard of 9 seconds ago. */
const WHOLE = {
  a: 'master - 0-5460',
  b: 'master - 5461-10921',
  c: 'master - 10922-16383',
  d: 'slave a',
  e: 'slave b',
  f: 'slave c',
};

/** The view of one node, as differences from a healthy cluster. A missing node is undefined. */
function view(
  of: string,
  differences: Readonly<Record<string, string | undefined>> = {},
): ClusterNode[] {
  const nodes = Object.entries<string | undefined>({ ...WHOLE, ...differences });
  const lines = nodes.flatMap(([id, node]) => {
    if (node === undefined) {
      return [];
    }
    const [text = '', silentSeconds = '0'] = node.split('~');
    const [flags, master, slots = ''] = text.split(' ');
    const heardAt = NOW - 1000 * Number(silentSeconds);
    const own = id === of ? `myself,${flags}` : flags;
    return [
      `${id} 127.0.0.1:7000@17000 ${own} ${master} 0 ${heardAt} 1 connected ${slots}`.trimEnd(),
    ];
  });
  return parseClusterNodes(lines.join('\n'));
}
const countPromotableReplicas = (masterId: string, answers: ClusterNode[][]): number | undefined =>
  count(masterId, [], answers);
const D_FAILED = { d: 'slave,fail a' };

describe('the replicas that a failover could promote', () => {
  it('are all replicas of the master in a whole cluster, with the answers of a majority', () => {
    expect(countPromotableReplicas('a', [view('a'), view('b')])).toBe(1);
    expect(
      countPromotableReplicas('a', [view('a', { g: 'slave a' }), view('b', { g: 'slave a' })]),
    ).toBe(2);
  });

  it('are unknown without the answers of a majority, however often one master is asked', () => {
    expect(countPromotableReplicas('a', [])).toBeUndefined();
    expect(countPromotableReplicas('a', [view('a', D_FAILED)])).toBeUndefined();
    expect(
      countPromotableReplicas('a', [view('a', D_FAILED), view('a', D_FAILED)]),
    ).toBeUndefined();
    // Replicas do not vote.
    expect(
      countPromotableReplicas('a', [view('a', D_FAILED), view('e', D_FAILED)]),
    ).toBeUndefined();
    // A master without slots does not vote.
    const empty = { ...D_FAILED, g: 'master -' };
    expect(countPromotableReplicas('a', [view('a', empty), view('g', empty)])).toBeUndefined();
  });

  it('do not include one that a majority lists as failed', () => {
    expect(countPromotableReplicas('a', [view('a', D_FAILED), view('b', D_FAILED)])).toBe(0);
    expect(countPromotableReplicas('a', [view('b', D_FAILED), view('c', D_FAILED)])).toBe(0);
  });

  it('do not include one whose address a majority finds taken by another node', () => {
    // It was replaced by a node with an empty disk, before the masters agreed that it had failed.
    const replaced = { d: 'slave,noaddr a', g: 'slave a' };

    expect(countPromotableReplicas('a', [view('a', replaced), view('b', replaced)])).toBe(1);
    expect(countPromotableReplicas('a', [view('a', replaced), view('b', { g: 'slave a' })])).toBe(
      2,
    );
  });

  it.each<[string, ClusterNode[][]]>([
    ['a minority lists as failed', [view('a', D_FAILED), view('b'), view('c')]],
    ['is only suspected', ['a', 'b', 'c'].map((of) => view(of, { d: 'slave,fail? a' }))],
    ['a minority lists at all', [view('a', { d: undefined }), view('b')]],
    ['has just come from another master', [view('a'), view('b', { d: 'slave c' })]],
  ])('include one that %s', (_, views) => {
    expect(countPromotableReplicas('a', views)).toBe(1);
  });

  it.each([
    ['has failed', 'master,fail -~20'],
    ['is a replica now', 'slave d'],
  ])('include one whose master was replaced and %s, until it follows the new one', (_, a) => {
    // The replica d has replaced a. The other replica of a is h.
    const countWith = (h: string): number | undefined => {
      const after = { a, d: 'master - 0-5460', h };
      const views = ['b', 'c', 'd'].map((of) => view(of, after));
      return countPromotableReplicas('d', views);
    };
    const others = a === 'slave d' ? 1 : 0;

    expect(countWith('slave a')).toBe(others + 1);
    expect(countWith('slave d')).toBe(others + 1);
    expect(countWith('slave,fail a')).toBe(others);
    expect(countWith('slave c')).toBe(others);
  });

  it('include a former master that has just become a replica, if only the master lists it', () => {
    const after = { a: 'master -', d: 'master - 0-5460' };
    const views = [view('b', after), view('c', after)];

    expect(count('d', [], views)).toBe(0);
    expect(count('d', ['a'], views)).toBe(1);
    expect(
      count(
        'd',
        ['a'],
        ['b', 'c'].map((of) => view(of, { ...after, a: 'master,fail -' })),
      ),
    ).toBe(0);
  });

  it.each([
    ['lives', 'master -'],
    ['failed long ago, and was not replaced', 'master,fail -~61'],
  ])('do not include one of a master without slots that %s', (_, g) => {
    const views = ['a', 'b', 'c'].map((of) => view(of, { ...D_FAILED, g, h: 'slave g' }));

    expect(countPromotableReplicas('a', views)).toBe(0);
  });

  it('are counted only from answers that say that the master leads', () => {
    const suspected = { a: 'master,fail? - 0-5460', ...D_FAILED };

    expect(
      countPromotableReplicas('a', [view('a', D_FAILED), view('b'), view('c', suspected)]),
    ).toBe(1);
  });

  it('do not include one that a majority lists for another master', () => {
    const moved = { d: 'slave c' };
    expect(countPromotableReplicas('a', [view('a'), view('b', moved), view('c', moved)])).toBe(0);
    expect(countPromotableReplicas('c', [view('a'), view('b', moved), view('c', moved)])).toBe(2);
  });

  it.each([
    ['has failed', { a: 'master,fail - 0-5460' }],
    ['is suspected', { a: 'master,fail? - 0-5460' }],
    ['was replaced', { a: 'master -', d: 'master - 0-5460' }],
    ['is a replica', { a: 'slave d', d: 'master - 0-5460' }],
    ['is unknown', { a: undefined }],
  ])('are unknown when a majority says that the master %s', (_, differences) => {
    const views = [view('a', D_FAILED), view('b', differences), view('c', differences)];

    expect(countPromotableReplicas('a', views)).toBeUndefined();
  });
});
