import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Secret } from '../../src/common/secret/index.js';
import { SmtpMailer } from '../../src/mail/mailer/smtp-mailer.js';
import type { MailMessage } from '../../src/mail/index.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { MailServer } from '../support/mail-server.js';

const FROM = 'Keyslot <no-reply@keyslot.test>';
const mail = (to = 'ada@example.com', id = 'mail-1'): MailMessage => ({
  id,
  to,
  subject: 'Grüße 你好',
  text: 'Hello Ädä\n\n你好\n',
  html: '<p>Hello Ädä</p>',
});
const never = (): AbortSignal => new AbortController().signal;

describe('the SMTP mailer', () => {
  let folder: string;
  let authority: TestAuthority;
  const servers: MailServer[] = [];
  const mailers: SmtpMailer[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-mail-'));
    authority = await TestAuthority.create(folder);
  });
  afterAll(async () => {
    mailers.forEach((mailer) => mailer.onApplicationShutdown());
    await Promise.all(servers.map(async (server) => server.stop()));
    rmSync(folder, { recursive: true });
  });

  const start = async (
    options: Parameters<typeof MailServer.start>[0] = {},
  ): Promise<MailServer> => {
    const server = await MailServer.start(options);
    servers.push(server);
    return server;
  };
  const mailerFor = (url: string, ca?: string): SmtpMailer => {
    const mailer = new SmtpMailer({ url: new Secret(url), from: FROM, ...(ca ? { ca } : {}) });
    mailers.push(mailer);
    return mailer;
  };
  const certificate = async (): Promise<{ key: string; cert: string; ca: string }> => {
    const files = await authority.issue({ type: 'ip', value: '127.0.0.1' });
    return {
      key: readFileSync(files.key, 'utf8'),
      cert: readFileSync(files.cert, 'utf8'),
      ca: readFileSync(files.ca, 'utf8'),
    };
  };

  it('sends text and HTML with a constant Message-ID, marked as automatic', async () => {
    const server = await start();

    const outcome = await mailerFor(server.url).send(mail(), never());

    expect(outcome).toEqual({ outcome: 'accepted' });
    const [{ email, ...received }] = server.received as [MailServer['received'][number]];
    expect(received).toMatchObject({
      to: 'ada@example.com',
      subject: 'Grüße 你好',
      text: 'Hello Ädä\n\n你好\n',
      messageId: '<mail-1@127.0.0.1>',
    });
    expect(received.html).toContain('<p>Hello Ädä</p>');
    expect(email.from).toEqual({ name: 'Keyslot', address: 'no-reply@keyslot.test' });
    expect(email.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
  });

  it('sends to one address, whatever its text looks like', async () => {
    const server = await start();

    await mailerFor(server.url).send(mail('"a,b"@example.com'), never());

    expect(server.received.map(({ to }) => to)).toEqual(['"a,b"@example.com']);
    expect(server.recipients).toBe(1);
  });

  it('reports a recipient that the server refuses for good, without the address', async () => {
    const server = await start();
    server.refused.add('nobody@example.com');

    const outcome = await mailerFor(server.url).send(mail('nobody@example.com'), never());

    expect(outcome).toEqual({ outcome: 'refused', reason: 'EENVELOPE RCPT TO 550' });
  });

  it.each<[string, (server: MailServer) => void]>([
    ['is busy', (server) => (server.isBusy = true)],
    [
      'closes the connection',
      (server) => (server.beforeAccept = () => Promise.reject(new Error('x'))),
    ],
  ])(
    'fails without an address when the server %s, so that the mail is sent again',
    async (_, disturb) => {
      const server = await start();
      disturb(server);

      const error = await mailerFor(server.url)
        .send(mail(), never())
        .catch((caught: unknown) => caught as Error);

      expect(error).toBeInstanceOf(Error);
      expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('ada@');
      expect((error as Error).cause).toBeUndefined();
    },
  );

  it('fails when nobody listens, and when it is aborted', async () => {
    const server = await start();
    const abort = new AbortController();
    server.beforeAccept = () => {
      abort.abort();
      return Promise.reject(new Error('aborted'));
    };

    await expect(
      mailerFor(`smtp://127.0.0.1:${await freePort()}?tls=none`).send(mail(), never()),
    ).rejects.toThrow('ESOCKET');
    await expect(mailerFor(server.url).send(mail(), abort.signal)).rejects.toThrow('EABORT');
    expect(abort.signal.aborted).toBe(true);
  });

  it.each([
    ['from the beginning with smtps', 'smtps', true],
    ['by STARTTLS with smtp', 'smtp', false],
  ])('encrypts %s, and authenticates', async (_, scheme, secure) => {
    const { ca, ...pair } = await certificate();
    const credentials = { user: 'mailer@keyslot', password: 'p@ss/word' };
    const server = await start({ ...pair, secure, credentials });
    const login = `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}`;
    const url = `${scheme}://${login}@127.0.0.1:${server.port}`;

    expect(await mailerFor(url, ca).send(mail(), never())).toEqual({ outcome: 'accepted' });
    // An unknown authority.
    await expect(mailerFor(url).send(mail(), never())).rejects.toThrow(/did not accept/);
    const wrong = await mailerFor(url.replace('%40ss', 'x'), ca)
      .send(mail(), never())
      .catch(({ message }: Error) => message);
    expect(wrong).toMatch(/EAUTH.*535$/);
    expect(server.received).toHaveLength(1);
  });

  it('sends nothing when the server offers no encryption', async () => {
    const server = await start();

    await expect(
      mailerFor(`smtp://127.0.0.1:${server.port}`).send(mail(), never()),
    ).rejects.toThrow('ETLS');
    expect(server.received).toEqual([]);
  });
});
