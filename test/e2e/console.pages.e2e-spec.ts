import { readFileSync } from 'node:fs';

import { ConsoleBrowser } from '../support/console-browser.js';
import {
  startAdministration,
  WITH_ADMINISTRATOR,
  type Administration,
} from '../support/deployment.js';
import { GOOD_PASSWORD, type TestUser } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { addTotp } from '../support/second-factors.js';

const ADMINISTRATOR = WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME;
const VIEWS = [
  ['/account', 'Your account', '我的账户'],
  ['/users', 'Users', '用户'],
  ['/changes', 'Revocations', '吊销'],
  ['/cluster', 'Cluster', '集群'],
  ['/audit', 'Audit', '审计'],
  ['/keys', 'Signing keys', '签名密钥'],
  ['/service-accounts', 'Service accounts', '服务账号'],
] as const;

/** The pages of the console, with two instances. An administrator has opened it in English, and stays signed in. */
describe('a page of the console', () => {
  let deployment: Administration;
  let browser: ConsoleBrowser;
  beforeAll(async () => {
    deployment = await startAdministration();
    browser = await ConsoleBrowser.start();
    await browser.open(deployment.api.url);
    await browser.signIn(ADMINISTRATOR, GOOD_PASSWORD);
  });
  afterAll(async () => {
    await browser.stop();
    await deployment.stop();
  });

  const text = async (wanted: RegExp | string): Promise<void> =>
    browser.page.getByText(wanted).first().waitFor();
  const heldEverywhere = async (): Promise<TestUser> => {
    const user = await deployment.api.newUser();
    await deployment.expectEverywhere(200, user.tokens);
    return user;
  };

  it('is accessible and complains about nothing, in both languages, also on a phone and in the dark', async () => {
    const user = await heldEverywhere();
    const { page } = browser;
    for (const [path, ...names] of [
      ...VIEWS,
      [`/users/${user.id}`, user.username, user.username] as const,
    ]) {
      await browser.show(path);
      for (const [index, button] of ['中文', 'English'].entries()) {
        await page.getByRole('heading', { level: 1, name: names[index]! }).waitFor();
        await page.locator('table, .chart, .card > p.faint').first().waitFor();
        const findings = await browser.inaccessible();
        const overflow = await browser.overflow();
        expect({ path, findings, overflow }).toEqual({ path, findings: [], overflow: 0 });
        await page.getByRole('button', { name: button }).click();
        await browser.resize(index === 0 ? 'phone in the dark' : 'desk');
      }
    }
    expect(browser.complaints).toEqual([]);
  });

  it('shows a revocation as it goes out to the other instance and comes back', async () => {
    const user = await heldEverywhere();
    await browser.show('/changes');
    await browser.page.getByRole('status').getByText('Live').waitFor();

    const { admin, api } = deployment;
    await api.request('DELETE', `/api/users/${user.id}/sessions`, { token: admin.access_token });

    const row = browser.page.locator('.changes li', { hasText: user.id });
    await row.getByText(/Acknowledged by 1 instance after [\d.]+ ms/).waitFor();
    await row.locator('.acknowledged svg .back').waitFor({ state: 'attached' });
    expect(await row.locator('.acknowledged').textContent()).toMatch(/: [\d.]+ ms$/);
    expect(browser.complaints).toEqual([]);
  });

  it('shows the shards with their slots, and the instances with their memory', async () => {
    await browser.show('/cluster');
    await text('No problem.');
    expect(await browser.page.locator('svg.slots rect').count()).toBe(3);
    await browser.page.getByRole('cell', { name: '0–5460' }).waitFor();
    await eventually('both instances are listed', 30_000, async () => {
      const rows = await browser.page.getByRole('cell', { name: /held, \d+ ms/ }).count();
      return rows >= 2;
    });
    await text('(answers this page)');
  });

  it('says why the last administrator cannot delete the own account', async () => {
    await browser.show('/account');
    const { keyboard } = browser.page;
    const name = 'Delete your account';
    await browser.page.getByRole('main').getByRole('button', { name }).focus();
    await keyboard.press('Enter');
    await text('This cannot be undone.');
    await keyboard.type(GOOD_PASSWORD);
    await keyboard.press('Enter');
    await browser.page.getByRole('dialog').getByText('At least one must remain.').waitFor();
    await keyboard.press('Escape');
    await browser.page.getByRole('dialog').waitFor({ state: 'detached' });
    await browser.page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
    // The browser itself reports the refused call.
    expect(browser.complaints.splice(0)).toEqual([expect.stringContaining('409')]);
  });

  it('changes a user by keyboard, names what happens, and tells how long it took', async () => {
    const user = await heldEverywhere();
    await addTotp(deployment.api, user.tokens);
    await deployment.expectEverywhere(200, user.tokens);
    await browser.show(`/users/${user.id}`);
    await text('A revocation waits for their acknowledgements.');
    await browser.page.getByRole('region', { name: 'Instances that may hold this user' }).waitFor();

    await browser.page.getByRole('button', { name: 'End all sessions' }).focus();
    await browser.page.keyboard.press('Enter');
    await text('All sessions of the user end on every instance. The user must log in again.');
    await browser.page.keyboard.press('Escape');
    await deployment.expectEverywhere(200, user.tokens);
    await browser.confirm('End all sessions');
    await text(/Every instance had acknowledged it after \d+ ms/);
    await deployment.expectEverywhere(401, user.tokens);

    await browser.page.getByRole('checkbox', { name: 'admin' }).focus();
    await browser.page.keyboard.press('Space');
    await browser.confirm('Save');
    await text(/after \d+ ms/);
    expect((await deployment.asAdmin('GET', user.id)).body).toMatchObject({ roles: ['admin'] });
    const change = browser.page.getByRole('row', { name: 'Roles or state changed' });
    await change.filter({ hasText: 'roles: admin' }).waitFor();
    await change.locator(`a[href="#/users/${deployment.adminId}"]`).waitFor();

    await browser.page.getByRole('cell', { name: 'Authenticator application' }).waitFor();
    await browser.confirm('Remove the second factors');
    await text('No second factor.');
    const removal = browser.page.getByRole('button', { name: 'Remove the second factors' });
    await removal.waitFor({ state: 'detached' });
    expect((await deployment.asAdmin('GET', `${user.id}/factors`)).body).toEqual({ items: [] });

    await browser.confirm('Delete');
    await text(/after \d+ ms/);
    await browser.page.getByRole('heading', { name: 'Sessions' }).waitFor({ state: 'detached' });
    expect((await deployment.asAdmin('GET', user.id)).status).toBe(404);
  });

  it('invites a user', async () => {
    await browser.show('/users');
    await browser.page.locator('summary', { hasText: 'Invite a user' }).press('Enter');
    const form = browser.page.locator('form', { hasText: 'Invite a user' });
    await form.locator('[name=username]').fill('invited-user');
    await form.locator('[name=email]').fill('invited@example.com');
    await browser.confirm('Invite a user', 'form');
    await text('The user was created. The mail is on its way.');
  });

  it('filters, follows and exports the audit trail', async () => {
    const user = await heldEverywhere();
    const { page } = browser;
    await page.clock.install();
    await browser.show(`/audit/${user.id}`);
    await browser.page.getByRole('cell', { name: 'User created' }).waitFor();
    await browser.page.getByLabel('Type of event').selectOption('logged-in');
    await browser.page.getByRole('cell', { name: 'User created' }).waitFor({ state: 'detached' });
    await browser.page.getByLabel(/^Follow/).check();
    await deployment.api.login(user.username);
    const logins = page.getByRole('cell', { name: 'Login', exact: true });
    await eventually('the new login is shown', 30_000, async () => {
      await page.clock.fastForward('00:10');
      return (await logins.count()) === 2;
    });

    const files: string[] = [];
    for (const name of ['Export as NDJSON', 'Export as CSV']) {
      const waiting = browser.page.waitForEvent('download');
      await browser.page.getByRole('button', { name }).click();
      files.push(readFileSync(await (await waiting).path(), 'utf8'));
    }
    const [lines = '', csv = ''] = files;
    const events = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ type: 'logged-in', subject: { id: user.id } });
    expect(csv.trimEnd().split('\r\n')).toHaveLength(3);
    expect(csv).toContain(`"${user.id}"`);
    expect(browser.complaints).toEqual([]);
  });

  it('creates a service account, and shows each secret once', async () => {
    await browser.show('/service-accounts');
    const { page } = browser;
    await page.locator('[name=name]').fill('order reports');
    await page.getByRole('checkbox', { name: 'users:read' }).check();
    await page.getByLabel('Further permissions, separated by commas').fill('orders:read');
    await page.getByRole('button', { name: 'Create' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('code').nth(1).waitFor();
    const [clientId, secret] = await dialog.locator('code').allTextContents();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(secret);

    const token = async (): Promise<number> => {
      const response = await fetch(`${deployment.api.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      return response.status;
    };
    expect(await token()).toBe(200);
    await page.getByRole('link', { name: 'order reports' }).click();
    await text('orders:read, users:read');
    expect(await browser.inaccessible()).toEqual([]);
    await browser.confirm('New secret');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete' }).nth(2).waitFor();
    await browser.confirm('Disable');
    expect(await token()).toBe(401);
    await browser.confirm('Delete');
    await text(/after \d+ ms/);
    await page.getByRole('main').getByRole('link', { name: 'Service accounts' }).click();
    await text('There are no service accounts.');
    expect(browser.complaints).toEqual([]);
  });

  it('replaces and withdraws the key of its own token, and goes on', async () => {
    await browser.show('/keys');
    await browser.confirm('Replace the key at once');
    await text('only verifies');
    const retired = browser.page.getByRole('row', { name: /only verifies/ });
    await retired.getByRole('button', { name: 'Withdraw' }).click();
    await text('No instance accepts a token that this key has signed.');
    await browser.page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
    await browser.page.getByRole('cell', { name: 'withdrawn' }).waitFor();

    await browser.show('/users');
    await browser.page.locator('table').waitFor();
    // The browser itself reports the refused token.
    expect(browser.complaints.filter((one) => !one.includes('401'))).toEqual([]);
  });

  it('hides what the permissions do not allow, and says that its session has ended', async () => {
    const { api } = deployment;
    const { body: admin } = await api.login(ADMINISTRATOR);
    const reader = await api.newUser();
    const asAdmin = async (method: string, path: string, body?: object): Promise<unknown> =>
      api.request(method, path, { token: admin.access_token, body });
    await asAdmin('PUT', '/api/roles/reader', { permissions: ['users:read'] });
    await asAdmin('PATCH', `/api/users/${reader.id}`, { roles: ['reader'] });
    await browser.open(api.url, { locale: 'zh-CN' });
    await browser.signIn(reader.username, GOOD_PASSWORD);
    await browser.page.getByRole('button', { name: 'English' }).click();
    await browser.page.getByRole('link', { name: 'Users' }).click();
    await browser.page.locator('[type=search]').fill('invited-user');
    await browser.page.getByRole('link', { name: 'invited-user' }).click();
    await text('invited@example.com');
    const buttons = await browser.page.locator('main button').allTextContents();
    expect(buttons).toEqual([]);
    expect(await browser.page.locator('header nav a').allTextContents()).toEqual([
      'Your account',
      'Users',
    ]);
    await browser.page.evaluate("location.hash = '/keys'");
    await text('Your roles do not allow this page.');
    expect(browser.complaints).toEqual([]);

    await asAdmin('DELETE', `/api/users/${reader.id}/sessions`);
    await browser.show('/account');
    await text('Your session has ended. Sign in again.');
    await browser.signIn(reader.username, GOOD_PASSWORD);
    await browser.page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
  });
});
