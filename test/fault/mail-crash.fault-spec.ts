import { randomUUID } from 'node:crypto';

import { Instance } from '../support/instance.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import {
  confirmReset,
  mailVariables,
  NEW_PASSWORD,
  requestReset,
  userWithMail,
} from '../support/mails.js';

/** An instance that has crashed keeps its mails for 30 seconds. */
const AFTER_LEASE_MS = 60_000;

describe('a crash of an instance', () => {
  let server: MailServer;
  let instance: Instance;
  beforeEach(async () => {
    server = await MailServer.start();
    instance = await Instance.start({
      ...mailVariables(server),
      REDIS_KEY_PREFIX: `t-${randomUUID().slice(0, 8)}:`,
    });
  });
  afterEach(async () => {
    await instance.kill();
    await server.stop();
  });

  it('while a mail is being sent loses nothing: the mail is sent again, with a new link', async () => {
    const user = await userWithMail(instance, server);
    const before = server.mailsTo(user.email).length;
    let isArrived: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (isArrived = resolve));
    // The server has the whole mail, and does not say so.
    server.beforeAccept = async () => {
      isArrived();
      return new Promise(() => undefined);
    };
    expect((await requestReset(instance, { username: user.username })).status).toBe(202);
    await arrived;

    await instance.kill();
    server.beforeAccept = async () => Promise.resolve();
    await instance.restart();

    const mail = await server.mailTo(user.email, before + 1, AFTER_LEASE_MS);
    expect((await confirmReset(instance, tokenIn(mail))).status).toBe(204);
    expect((await instance.login(user.username, NEW_PASSWORD)).status).toBe(200);
  }, 150_000);

  it('right after a request was answered loses nothing', async () => {
    const user = await userWithMail(instance, server);
    const before = server.mailsTo(user.email).length;
    server.isBusy = true;
    expect((await requestReset(instance, { email: user.email })).status).toBe(202);

    await instance.kill();
    server.isBusy = false;
    await instance.restart();

    const mail = await server.mailTo(user.email, before + 1, AFTER_LEASE_MS);
    expect((await confirmReset(instance, tokenIn(mail))).status).toBe(204);
  }, 150_000);
});
