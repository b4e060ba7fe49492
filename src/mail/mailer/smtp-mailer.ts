import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';

import type { Secret } from '../../common/secret/index.js';
import type { Mailer, MailMessage, MailOutcome } from './mailer.js';

const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 20_000;
const MAX_CONNECTIONS = 5;
/** Mails after which a connection is replaced. */
const MAX_MAILS_PER_CONNECTION = 100;
const SUBMISSION_PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;

export interface SmtpOptions {
  /**
   * `smtp://user:password@host:port`: the connection is encrypted with STARTTLS (RFC 3207), or no mail is sent; with `?tls=none` it is
   * not encrypted. `smtps://`: TLS from the beginning (RFC 8314). Default ports: 587 and 465.
   */
  readonly url: Secret;
  /** The header `From`: an address, or a name with an address in angle brackets. */
  readonly from: string;
  /** PEM text of the authorities to trust instead of Node's. */
  readonly ca?: string;
}

/** The error members of nodemailer that contain neither an address nor a text of the server. */
interface SmtpError {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly permanent?: boolean;
}

/** Sends mails to an SMTP server, over a pool of connections. */
@Injectable()
export class SmtpMailer implements Mailer, OnApplicationShutdown {
  private readonly transport: Transporter;
  private readonly host: string;

  constructor({ url, from, ca }: SmtpOptions) {
    const { protocol, hostname, port, username, password, searchParams } = new URL(url.reveal());
    const isPlain = searchParams.get('tls') === 'none';
    this.host = hostname;
    this.transport = createTransport(
      {
        pool: true,
        host: hostname.replace(/^\[|\]$/g, ''),
        port: Number(port) || SUBMISSION_PORTS[protocol as keyof typeof SUBMISSION_PORTS],
        secure: protocol === 'smtps:',
        ...(isPlain ? { ignoreTLS: true } : { requireTLS: true }),
        ...(username === ''
          ? {}
          : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
        tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
        maxConnections: MAX_CONNECTIONS,
        maxMessages: MAX_MAILS_PER_CONNECTION,
        // The outbox repeats what fails.
        maxRequeues: 0,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        greetingTimeout: CONNECT_TIMEOUT_MS,
        dnsTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SOCKET_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      },
      // RFC 3834: no automatic replies.
      { from, headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' } },
    );
  }

  async send(mail: MailMessage, signal: AbortSignal): Promise<MailOutcome> {
    const { id, to, subject, text, html } = mail;
    const messageId = `<${id}@${this.host}>`;
    try {
      // An object, because a text may be a list of addresses.
      const recipient = { name: '', address: to };
      await this.transport.sendMail({ to: recipient, subject, text, html, messageId, signal });
      return { outcome: 'accepted' };
    } catch (error) {
      const failure = error as SmtpError;
      const reason = describe(failure);
      if (isRefusalOfMail(failure)) {
        return { outcome: 'refused', reason };
      }
      // The cause contains addresses, and what the server has said about them.
      // eslint-disable-next-line preserve-caught-error
      throw new Error(`the SMTP server did not accept the mail: ${reason}`);
    }
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }
}

/** Whether the server refuses this recipient or this mail for good, and not its client. */
function isRefusalOfMail({ code, command, permanent }: SmtpError): boolean {
  const isAboutMail = command === 'RCPT TO' || command === 'DATA';
  const isInvalidAddress = code === 'EENVELOPE' && command === 'API';
  return isInvalidAddress || (isAboutMail && permanent === true);
}

function describe({ code = 'unknown error', command, responseCode }: SmtpError): string {
  return [code, command, responseCode].filter((part) => part !== undefined).join(' ');
}
