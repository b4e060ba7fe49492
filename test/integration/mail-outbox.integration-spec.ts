import { randomUUID } from 'node:crypto';

import { Clock } from '../../src/common/clock/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Secret } from '../../src/common/secret/index.js';
import { MetricsRegistry } from '../../src/metrics/index.js';
import {
  DefaultMailTemplates,
  MailDelivery,
  MailOutbox,
  type MailComposer,
  type Mailer,
} from '../../src/mail/index.js';
import { SmtpMailer } from '../../src/mail/mailer/smtp-mailer.js';
import { MAX_ATTEMPTS } from '../../src/mail/outbox/mail-delivery.js';
import { PARTITIONS } from '../../src/mail/outbox/mail-outbox.js';
import { asOperator, runCommand } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { MailServer } from '../support/mail-server.js';
import { FROM } from '../support/mails.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { dumpKeys, withRedis } from '../support/redis.js';

const WITHIN_MS = 15_000;
const composer: MailComposer = (data) =>
  Promise.resolve({
    to: String(data['to']),
    kind: 'password-changed',
    language: 'en',
    values: { username: 'ada' },
  });

interface Sender {
  readonly outbox: MailOutbox;
  readonly metrics: MetricsRegistry;
  readonly stop: () => Promise<void>;
}

describe('the outbox', () => {
  let prefix: string;
  let instance: CacheInstance;
  let server: MailServer;
  let senders: Sender[];
  beforeEach(async () => {
    prefix = newPrefix();
    senders = [];
    [instance, server] = await Promise.all([startCacheInstance(prefix), MailServer.start()]);
  });
  afterEach(async () => {
    await Promise.all(senders.map(async ({ stop }) => stop()));
    await Promise.all([instance.close(), server.stop()]);
  });

  /** Delivers as an instance does. */
  const startSender = (mailer: Mailer = smtpTo(server.port), compose = composer): Sender => {
    const outbox = new MailOutbox(instance.redis, mailer);
    const metrics = new MetricsRegistry();
    const templates = new DefaultMailTemplates();
    const options = { publicUrl: 'https://accounts.keyslot.test' };
    const delivery = new MailDelivery(outbox, new Clock(), templates, metrics, options, mailer);
    delivery.composeWith('test', compose);
    delivery.onApplicationBootstrap();
    const stop = async (): Promise<void> => {
      await delivery.beforeApplicationShutdown();
      (mailer as Partial<SmtpMailer>).onApplicationShutdown?.();
    };
    senders.push({ outbox, metrics, stop });
    return senders.at(-1)!;
  };
  const smtpTo = (port: number): SmtpMailer =>
    new SmtpMailer({
      url: new Secret(`smtp://127.0.0.1:${port}?tls=none`),
      from: 'no-reply@keyslot.test',
    });
  const add = async (outbox: MailOutbox, to: string, id: string = randomUUID()): Promise<void> =>
    outbox.add({ id, kind: 'test', data: { to } }, Deadline.none);
  /** Makes everything due that waits for its next attempt, or for the end of a lease. */
  const makeDue = async (): Promise<void> =>
    withRedis(async (_, cluster) => {
      for (const partition of PARTITIONS) {
        const key = instance.redis.keys.key(['mail-outbox', partition], 'due');
        for (const id of await cluster.zrange(key, '0', '-1')) {
          await cluster.zadd(key, 1, id);
        }
        senders.forEach(({ outbox }) => outbox.onAdded(partition));
      }
    });
  const counted = async ({ metrics }: Sender, outcome: string): Promise<number> => {
    const text = await metrics.metrics();
    return Number(new RegExp(`keyslot_mails_total{outcome="${outcome}"} (\\d+)`).exec(text)?.[1]);
  };
  const untilCounted = async (sender: Sender, outcome: string): Promise<unknown> =>
    eventually(
      `${outcome} is counted`,
      WITHIN_MS,
      async () => (await counted(sender, outcome)) === 1,
    );
  const stored = async (): Promise<string> => JSON.stringify(await dumpKeys(prefix));

  it('sends a mail at once, and keeps only its id', async () => {
    const sender = startSender();

    await add(sender.outbox, 'ada@example.com', 'first-mail');

    const mail = await server.mailTo('ada@example.com');
    expect(mail.subject).toBe('Your password was changed');
    expect(mail.messageId).toBe('<first-mail@127.0.0.1>');
    await eventually('the entry is removed', WITHIN_MS, async () => {
      const { values } = await dumpKeys(prefix);
      return !JSON.stringify(values).includes('ada@example.com');
    });
    expect(await stored()).toContain('first-mail');
    await untilCounted(sender, 'sent');
  });

  it('sends each of many mails once, although several instances send', async () => {
    const all = [startSender(), startSender(), startSender()];
    const addresses = Array.from({ length: 60 }, (_, index) => `user-${index}@example.com`);

    await Promise.all(addresses.map(async (to, index) => add(all[index % 3]!.outbox, to)));
    await Promise.all(addresses.map(async (to) => server.mailTo(to)));

    expect(server.received.map(({ to }) => to).sort()).toEqual([...addresses].sort());
  });

  it('adds an entry once, whatever repeats it, also after it was sent', async () => {
    const sender = startSender();
    const idle = new MailOutbox(instance.redis);

    await Promise.all(Array.from({ length: 50 }, async () => add(idle, 'a@example.com', 'same')));
    await makeDue();
    await add(sender.outbox, 'other@example.com');
    await server.mailTo('a@example.com');
    await eventually('it is removed', WITHIN_MS, async () => !(await stored()).includes('a@exam'));
    await add(sender.outbox, 'a@example.com', 'same');

    const after = await Promise.all(
      PARTITIONS.map(async (one) => idle.take(one, 9, 1, Deadline.none)),
    );
    expect(after.flatMap(({ entries }) => entries)).toEqual([]);
    expect(server.mailsTo('a@example.com')).toHaveLength(1);
  });

  it('waits while the SMTP server is down, and sends when it is back', async () => {
    const port = await freePort();
    const sender = startSender(smtpTo(port));
    await add(sender.outbox, 'ada@example.com');
    await eventually(
      'an attempt fails',
      WITHIN_MS,
      async () => (await counted(sender, 'again')) === 1,
    );

    const back = await MailServer.start({ port });
    await makeDue();

    expect((await back.mailTo('ada@example.com', 1, 30_000)).to).toBe('ada@example.com');
    await untilCounted(sender, 'sent');
    // Closes the connection, which the server would wait for.
    await sender.stop();
    await back.stop();
  });

  it('gives up a mail that the server refuses for good, and sends the others', async () => {
    server.refused.add('gone@example.com');
    const sender = startSender();
    await add(sender.outbox, 'gone@example.com', 'refused-mail');
    await add(sender.outbox, 'ada@example.com');

    await server.mailTo('ada@example.com');
    await eventually(
      'it is given up',
      WITHIN_MS,
      async () => (await sender.outbox.failed(Deadline.none)).length === 1,
    );

    const [failed] = await sender.outbox.failed(Deadline.none);
    expect(failed).toMatchObject({
      id: 'refused-mail',
      kind: 'test',
      attempt: 1,
      reason: 'EENVELOPE RCPT TO 550',
    });
    await untilCounted(sender, 'refused');
    server.refused.clear();
    expect(await sender.outbox.retryFailed(Deadline.none)).toBe(1);
    expect(await sender.outbox.failed(Deadline.none)).toEqual([]);
    expect((await server.mailTo('gone@example.com', 1, 30_000)).messageId).toContain(
      'refused-mail',
    );
  });

  it('gives up after the last attempt', async () => {
    server.isBusy = true;
    const idle = new MailOutbox(instance.redis);
    await add(idle, 'ada@example.com', 'late');
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) {
      await makeDue();
      const taken = await Promise.all(
        PARTITIONS.map(async (one) => idle.take(one, 9, 60_000, Deadline.none)),
      );
      expect(taken.flatMap(({ entries }) => entries)).toMatchObject([{ id: 'late', attempt }]);
    }
    await makeDue();
    const sender = startSender();

    await eventually(
      'it is given up',
      WITHIN_MS,
      async () => (await counted(sender, 'failed')) === 1,
    );

    expect(await idle.failed(Deadline.none)).toMatchObject([{ id: 'late', attempt: MAX_ATTEMPTS }]);
  });

  it('is left to the instances by a command of the command line', async () => {
    const idle = new MailOutbox(instance.redis);
    const data = { userId: randomUUID(), language: 'en' };
    await idle.add({ id: 'waiting', kind: 'password-reset', data }, Deadline.none);

    const variables = { ...asOperator(prefix), MAIL_URL: server.url, MAIL_FROM: FROM };
    const listed = await runCommand(['mail', 'failed'], { variables });
    const retried = await runCommand(['mail', 'failed', '--retry'], { variables });

    expect([listed.status, retried.status]).toEqual([0, 0]);
    const taken = await Promise.all(
      PARTITIONS.map(async (one) => idle.take(one, 9, 60_000, Deadline.none)),
    );
    expect(taken.flatMap(({ entries }) => entries)).toMatchObject([{ id: 'waiting', attempt: 1 }]);
  });

  it('gives an entry to one of many callers, and to another when the lease has ended', async () => {
    const idle = new MailOutbox(instance.redis);
    await add(idle, 'ada@example.com', 'one');
    const takeAll = async (leaseMs: number): Promise<unknown[]> => {
      const taken = await Promise.all(
        Array.from({ length: 20 }, async () =>
          Promise.all(PARTITIONS.map(async (one) => idle.take(one, 9, leaseMs, Deadline.none))),
        ),
      );
      return taken.flat().flatMap(({ entries }) => entries);
    };

    expect(await takeAll(60_000)).toHaveLength(1);
    expect(await takeAll(60_000)).toHaveLength(0);
    await makeDue();
    expect(await takeAll(60_000)).toMatchObject([{ id: 'one', attempt: 2 }]);
  });

  it('ignores the end of an attempt whose lease has ended, unless it was sent', async () => {
    const idle = new MailOutbox(instance.redis);
    await add(idle, 'ada@example.com', 'one');
    const take = async () => {
      await makeDue();
      const taken = await Promise.all(
        PARTITIONS.map(async (one) => idle.take(one, 9, 60_000, Deadline.none)),
      );
      return taken.flatMap(({ entries }) => entries);
    };
    const [first] = await take();
    const [second] = await take();

    await idle.end(first!, { outcome: 'failed', reason: 'late' }, Deadline.none);
    expect(await idle.failed(Deadline.none)).toEqual([]);
    await idle.end(second!, { outcome: 'failed', reason: 'now' }, Deadline.none);
    expect(await idle.failed(Deadline.none)).toMatchObject([{ id: 'one', reason: 'now' }]);
    await idle.end(first!, { outcome: 'sent' }, Deadline.none);
    expect(await idle.failed(Deadline.none)).toEqual([]);
  });

  it('sends nothing when the composer says so, and tries again when it fails', async () => {
    const answers: MailComposer[] = [
      () => Promise.reject(new Error('not now')),
      () => Promise.resolve(undefined),
    ];
    const sender = startSender(smtpTo(server.port), async (data, deadline) =>
      answers.shift()!(data, deadline),
    );
    await add(sender.outbox, 'ada@example.com');
    await eventually('it fails', WITHIN_MS, async () => (await counted(sender, 'again')) === 1);
    await makeDue();
    await eventually('it is dropped', 30_000, async () => (await counted(sender, 'dropped')) === 1);

    expect(server.recipients).toBe(0);
  });
});
