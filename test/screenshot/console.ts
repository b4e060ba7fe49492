import { hostname } from 'node:os';

import { ConsoleBrowser } from '../support/console-browser.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { GOOD_PASSWORD, type TestUser } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { eventually, type OwnCluster } from '../support/own-cluster.js';

const REVOCATIONS = 'docs/console-revocations.png';
const CLUSTER = 'docs/console-cluster.png';
const USER = 'docs/console-user.png';
const WIDTH = 1000;
const REPORT_TIMEOUT_MS = 30_000;
const ADMINISTRATOR = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;

/** Takes the pictures of the console, with three instances. @returns their paths */
export async function takeConsolePictures(redis: OwnCluster): Promise<readonly string[]> {
  const variables = { ...redis.variables, ...WITH_ADMINISTRATOR };
  const first = await Instance.start(variables);
  const instances = [
    first,
    ...(await Promise.all([Instance.start(variables), Instance.start(variables)])),
  ];
  const heldEverywhere = async (name: string): Promise<TestUser> => {
    const user = await first.newUser(name);
    for (const instance of instances) {
      await instance.ownUser(user.tokens.access_token);
    }
    return user;
  };
  const { body: admin } = await first.login(ADMINISTRATOR);
  const token = admin.access_token;
  await eventually('all instances are listed', REPORT_TIMEOUT_MS, async () => {
    const { body } = await first.request<{ instances: unknown[] }>('GET', '/api/cluster', {
      token,
    });
    return body.instances.length === instances.length;
  });
  const browser = await ConsoleBrowser.start();
  await browser.open(first.url, { width: WIDTH });
  await browser.signIn(ADMINISTRATOR, GOOD_PASSWORD);
  const { page } = browser;

  const users: TestUser[] = [];
  for (const name of ['grace', 'ada', 'barbara']) {
    users.push(await heldEverywhere(name));
  }
  // The page knows the names of users whom it has read.
  await browser.show('/users');
  await page.getByRole('link', { name: 'grace' }).waitFor();
  await browser.show('/changes');
  await page.getByRole('status').getByText('Live').waitFor();
  for (const { id, username } of users) {
    await first.request('DELETE', `/api/users/${id}/sessions`, { token });
    const change = page.locator('.changes > li', { hasText: username });
    await change.locator('.acknowledged').first().waitFor();
  }
  // Instances report what their changes took every ten seconds.
  await page.locator('.chart rect:not([width="0"])').first().waitFor();
  await take(browser, REVOCATIONS);

  const user = await heldEverywhere('margaret');
  await browser.show(`/users/${user.id}`);
  await page.getByRole('region', { name: 'Instances that may hold this user' }).waitFor();
  await take(browser, USER);

  await browser.show('/cluster');
  await page.getByRole('status').getByText('Live').waitFor();
  await take(browser, CLUSTER);

  await browser.stop();
  await Promise.all(instances.map(async (instance) => instance.stop()));
  return [REVOCATIONS, USER, CLUSTER];
}

/** Without the host name of this machine, and without a text for which it may have no font. */
async function take({ page }: ConsoleBrowser, path: string): Promise<void> {
  await page.evaluate(`{
    const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      texts.currentNode.data = texts.currentNode.data.replaceAll(${JSON.stringify(hostname())}, 'app-1');
    }
    document.querySelector('header [lang]')?.remove();
    document.activeElement.blur();
  }`);
  await page.screenshot({ path, fullPage: true, animations: 'disabled' });
}
