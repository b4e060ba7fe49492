import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { AddressInfo } from 'node:net';

import { eventually } from './own-cluster.js';

const MAIL_TIMEOUT_MS = 20_000;
/** A notice is stored after the answer, so it may wait for the next look for due mails. */
const NOTICE_TIMEOUT_MS = 40_000;

export interface ReceivedMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly email: Email;
}

interface MailServerOptions extends Pick<SMTPServerOptions, 'secure' | 'key' | 'cert'> {
  readonly port?: number;
  /** The only credentials that are accepted. Default: none are offered. */
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** A real SMTP server that keeps what it receives. */
export class MailServer {
  readonly received: ReceivedMail[] = [];
  /** The addresses that the server refuses for good. */
  readonly refused = new Set<string>();
  /** Answers every recipient with a temporary error. */
  isBusy = false;
  /** Called when a whole mail has arrived, before it is accepted. */
  beforeAccept: (mail: ReceivedMail) => Promise<void> = async () => Promise.resolve();
  /** How many recipients were named, accepted or not. */
  recipients = 0;
  private readonly server: SMTPServer;

  private constructor(options: MailServerOptions) {
    const { credentials, secure, key, cert } = options;
    this.server = new SMTPServer({
      ...(secure === undefined ? {} : { secure }),
      ...(key === undefined ? {} : { key, cert }),
      disabledCommands: [
        ...(key === undefined ? ['STARTTLS'] : []),
        ...(credentials ? [] : ['AUTH']),
      ],
      authOptional: !credentials,
      onAuth: ({ username, password }, _session, done) =>
        username === credentials?.user && password === credentials?.password
          ? done(null, { user: username })
          : done(new Error('wrong credentials')),
      onRcptTo: ({ address }, _session, done) => {
        this.recipients += 1;
        if (this.isBusy) {
          done(Object.assign(new Error('try again'), { responseCode: 451 }));
        } else if (this.refused.has(address)) {
          done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
        } else {
          done();
        }
      },
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          const to = session.envelope.rcptTo[0]?.address ?? '';
          this.keep(to, Buffer.concat(parts)).then(() => done(), done);
        });
      },
    });
    // A client that was killed resets its connection.
    this.server.on('error', () => undefined);
  }

  static async start(options: MailServerOptions = {}): Promise<MailServer> {
    const mailServer = new MailServer(options);
    await new Promise<void>((resolve) => {
      mailServer.server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return mailServer;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  /** For the setting `MAIL_URL`. */
  get url(): string {
    return `smtp://127.0.0.1:${this.port}?tls=none`;
  }

  mailsTo(address: string): readonly ReceivedMail[] {
    return this.received.filter(({ to }) => to === address);
  }

  /** Waits for a mail to an address. @returns the last of `count` mails */
  async mailTo(address: string, count = 1, timeoutMs = MAIL_TIMEOUT_MS): Promise<ReceivedMail> {
    await eventually(`mail ${count} to ${address}`, timeoutMs, () =>
      Promise.resolve(this.mailsTo(address).length >= count),
    );
    return this.mailsTo(address)[count - 1]!;
  }

  /** Waits for a mail with a subject. Others may arrive before it. */
  async mailAbout(address: string, subject: string): Promise<ReceivedMail> {
    const mail = (): ReceivedMail | undefined =>
      this.mailsTo(address).find((received) => received.subject === subject);
    await eventually(`the mail '${subject}' to ${address}`, NOTICE_TIMEOUT_MS, () =>
      Promise.resolve(mail() !== undefined),
    );
    return mail()!;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(resolve);
    });
  }

  private async keep(to: string, source: Buffer): Promise<void> {
    const email = await PostalMime.parse(source);
    const { subject = '', text = '', html = '', messageId = '' } = email;
    const mail = { to, subject, text: text.trimEnd().concat('\n'), html, messageId, email };
    await this.beforeAccept(mail);
    this.received.push(mail);
  }
}

/** The one-time token in the link of a mail. */
export function tokenIn({ text }: Pick<ReceivedMail, 'text'>): string {
  const [, token] = /#token=([\w.-]+)/.exec(text) ?? [];
  if (token === undefined) {
    throw new Error('the mail has no link with a token');
  }
  return token;
}
