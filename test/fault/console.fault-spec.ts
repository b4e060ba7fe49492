import { NearCache } from '../../src/near-cache/index.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type Tokens } from '../support/http-client.js';
import { eventually, startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { Shards, slotOf } from '../support/shards.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const NAME = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;

/** The console says what is the matter, and recovers by itself. */
describe('the console while it is refused, or Redis fails (98)', () => {
  let redis: OwnCluster;
  let shards: Shards;
  let api: TestApp;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    redis = await startOwnCluster();
    shards = await Shards.of(redis);
    do {
      await api?.close();
      api = await startTestApp({ ...redis.variables, ...WITH_ADMINISTRATOR });
    } while ((await neededPorts()).includes(registryPort()));
    browser = await ConsoleBrowser.start();
  });
  afterAll(async () => {
    await browser.stop();
    await api.close();
    await redis.remove();
  });

  const signalAll = (ports: readonly number[], signal: NodeJS.Signals): void =>
    ports.forEach((port) => redis.signal(port, signal));
  const everyPort = (): number[] => [...redis.cluster.pids.keys()];
  /** The shard of the list of instances, which the state of the cluster and the changes depend on. */
  const registryPort = (): number => shards.masterOf(slotOf('instances.registry'));
  /** The page itself needs the session of its user, and its instance needs its inbox. */
  const neededPorts = async (): Promise<number[]> => {
    const { body } = await api.login(NAME);
    const { id } = (await api.ownUser(body.access_token)).body;
    return [
      shards.masterOf(slotOf(`user.${String(id)}`)),
      shards.ofKey(api.app.get(NearCache, { strict: false }).leaseKey),
    ];
  };
  const text = async (wanted: RegExp | string): Promise<void> =>
    browser.page.getByText(wanted).first().waitFor();
  const live = async (): Promise<void> =>
    browser.page.getByRole('status').getByText('Live').waitFor();

  it('says that its session has too many streams, and connects half a minute later', async () => {
    await browser.open(api.url);
    const { page } = browser;
    await page.clock.install();
    const begun = page.waitForResponse((answer) => answer.url().endsWith('/console/session'));
    await browser.signIn(NAME, GOOD_PASSWORD);
    const { access_token } = (await (await begun).json()) as Tokens;
    const closing = new AbortController();
    const headers = { authorization: `Bearer ${access_token}` };
    const url = `${api.url}/api/cluster/events`;
    const open = async (signal: AbortSignal) => fetch(url, { headers, signal });
    await Promise.all(Array.from({ length: 10 }, async () => open(closing.signal)));
    const tries: string[] = [];
    page.on('request', (request) => tries.push(request.url()));

    await browser.show('/cluster');
    await page.getByText('already has the maximum number of streams').waitFor();
    await page.getByText('There is no live connection.').waitFor();
    closing.abort();
    const stopped = new AbortController();
    await eventually('the streams have ended', 5000, async () => {
      const { status } = await open(stopped.signal);
      return status === 200;
    });
    await page.clock.fastForward('00:20');
    expect(await page.evaluate('document.title')).toBe('Cluster – Keyslot');
    expect(tries.filter((one) => one === url)).toHaveLength(1);
    await page.clock.fastForward('00:10');

    await page.getByRole('status').getByText('Live').waitFor();
    stopped.abort();
    expect(tries.filter((one) => one === url)).toHaveLength(2);
    expect(browser.complaints.filter((text) => !text.includes('429'))).toEqual([]);
  });

  it('names a lost shard and what it means', async () => {
    await browser.open(api.url);
    await browser.signIn(NAME, GOOD_PASSWORD);
    await browser.show('/cluster');
    await live();
    await text('No problem.');

    signalAll(shards.nodesOf(registryPort()), 'SIGSTOP');

    await text(/A shard is down: no master serves 546\d of 16384 slots/);
    await browser.page.locator('svg.slots rect.gap').waitFor();
    await text('The list of instances cannot be read.');
    await live();
  });

  it('says that no changes arrive', async () => {
    // Without a stream that has seen the loss.
    await browser.show('/account');
    await browser.show('/changes');
    await text('Redis does not deliver changes at the moment: a shard may be down.');
    await browser.page.getByRole('heading', { name: /last hour/ }).waitFor({ state: 'detached' });
    await browser.show('/cluster');
    await live();
  });

  it('says that the server cannot answer when the other shards are lost too, and goes on when all are back', async () => {
    await live();

    signalAll(everyPort(), 'SIGSTOP');

    await text('There is no live connection. What you see may be old.');
    await text('The data for this request cannot be reached at the moment.');
    const tab = await browser.newTab();
    await tab.goto(`${api.url}/console`);
    await tab.getByText('The data for this request cannot be reached at the moment.').waitFor();

    signalAll(everyPort(), 'SIGCONT');
    await live();
    await text('No problem.');
    await tab.getByRole('button', { name: 'Try again' }).click();
    await tab.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
  });
});
