import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestUser } from '../support/http-client.js';
import { startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** The password of the Redis user changes while the instance is in use. */
describe('a password of Redis that rotates', () => {
  let own: OwnCluster;
  let folder: string;
  let file: string;
  let api: TestApp;
  let user: TestUser;
  let isOver = false;
  let load: Promise<number[]>[];

  beforeAll(async () => {
    own = await startOwnCluster();
    folder = mkdtempSync(join(tmpdir(), 'keyslot-password-'));
    file = join(folder, 'password');
    writeFileSync(file, `${own.variables.REDIS_PASSWORD}\n`);
    api = await startTestApp({
      ...own.variables,
      REDIS_PASSWORD: '',
      REDIS_PASSWORD_FILE: file,
      RATE_LIMIT: 'off',
    });
    user = await api.newUser();
  });
  beforeEach(() => {
    isOver = false;
    load = Array.from({ length: 4 }, async () => {
      const statuses: number[] = [];
      while (!isOver) {
        statuses.push((await api.ownUser(user.tokens.access_token)).status);
        statuses.push((await api.login(user.username)).status);
      }
      return statuses;
    });
  });
  afterAll(async () => {
    await api.close();
    await own.removeDespiteRefusals();
    rmSync(folder, { recursive: true });
  });

  const endConnections = async (): Promise<void> => {
    for (const port of own.cluster.pids.keys()) {
      for (const type of ['normal', 'pubsub']) {
        await own.cluster.call(port, 'CLIENT', 'KILL', 'TYPE', type);
      }
    }
  };
  const expectOnlySuccess = async (): Promise<void> => {
    const further = await Promise.all(Array.from({ length: 10 }, () => api.login(user.username)));
    isOver = true;
    const statuses = [...(await Promise.all(load)).flat(), ...further.map(({ status }) => status)];
    expect([...new Set(statuses)]).toEqual([200]);
  };

  it('is reloaded from its file in two steps, without a 503', async () => {
    await own.changeUser('>the-second-password');
    writeFileSync(file, 'the-second-password\r\n');
    await own.changeUser(`<${own.variables.REDIS_PASSWORD}`);
    await endConnections();

    await expectOnlySuccess();
  });

  it('is reloaded from its file when Redis rejects the old one, without a 503', async () => {
    await own.changeUser('resetpass', '>the-third-password');
    writeFileSync(file, 'the-third-password');
    await endConnections();

    await expectOnlySuccess();
  });

  it('stays in use while its file is empty or missing', async () => {
    writeFileSync(file, '');
    await endConnections();
    rmSync(file);
    await endConnections();

    await expectOnlySuccess();
  });
});
