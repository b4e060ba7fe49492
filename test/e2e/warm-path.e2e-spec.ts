import { startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** What nodes and clients say to one another whether or not anybody asks for anything. */
const HOUSEKEEPING = /^cmdstat_(cluster\||client\||info|ping|replconf|hello|auth|command|config)/;

/** Promise 4, by the servers' own counters. */
describe('a request with a token that the instance has seen lately', () => {
  let own: OwnCluster;
  let api: TestApp;
  beforeAll(async () => {
    own = await startOwnCluster();
    // A lease that needs no renewal while the test counts.
    api = await startTestApp({ ...own.variables, NEAR_CACHE_LEASE: '60s' });
  });
  afterAll(async () => {
    await api.close();
    await own.remove();
  });

  /** Commands that the masters have executed, by name. */
  const executed = async (): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    for (const port of await own.masters()) {
      const stats = await own.cluster.call(port, 'INFO', 'commandstats');
      for (const [, name = '', calls = ''] of stats.matchAll(/(cmdstat_[^:]+):calls=(\d+)/g)) {
        if (!HOUSEKEEPING.test(name)) {
          counts.set(name, (counts.get(name) ?? 0) + Number(calls));
        }
      }
    }
    return counts;
  };
  const renewals = async (): Promise<string> =>
    String((await api.request<string>('GET', '/metrics')).body).match(/event="renewed"} \d+/)![0];
  const causedBy = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
    const renewed = await renewals();
    const before = await executed();
    await work();
    const after = await executed();
    if ((await renewals()) !== renewed) {
      return causedBy(work); // a lease was renewed meanwhile, whatever was asked
    }
    return Object.fromEntries(
      [...after]
        .map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)])
        .filter(([, count]) => count > 0),
    );
  };

  it('costs no Redis command', async () => {
    const { tokens, username } = await api.newUser();
    await api.ownUser(tokens.access_token);

    const commands = await causedBy(async () => {
      for (let count = 0; count < 200; count += 1) {
        const answer = await api.ownUser(tokens.access_token);
        expect(answer.status).toBe(200);
        expect(answer.body).toMatchObject({ username });
      }
    });

    expect(commands).toEqual({});
  });

  it('costs one script when it comes first', async () => {
    const { tokens } = await api.newUser();

    const commands = await causedBy(() => api.ownUser(tokens.access_token));

    expect(commands).toMatchObject({ cmdstat_evalsha: 1 });
  });
});
