import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { TestAuthority, type CertificateFiles } from '../support/certificates.js';
import { Instance } from '../support/instance.js';
import { eventually } from '../support/own-cluster.js';

const LOCALHOST = { type: 'ip', value: '127.0.0.1' } as const;
const RELOAD_TIMEOUT_MS = 10_000;

describe('HTTPS', () => {
  let folder: string;
  let authority: TestAuthority;
  let first: CertificateFiles;
  let withRsa: CertificateFiles;
  let served: { readonly TLS_CERT: string; readonly TLS_KEY: string };
  let instance: Instance;
  let port: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyslot-tls-'));
    authority = await TestAuthority.create(folder);
    first = await authority.issue(LOCALHOST);
    withRsa = await (await TestAuthority.create(folder, 'rsa', 'RSA')).issue(LOCALHOST);
    served = { TLS_CERT: join(folder, 'tls.crt'), TLS_KEY: join(folder, 'tls.key') };
    use(first);
    instance = await Instance.start({ ...served, LOG_LEVEL: 'info' });
    port = Number(new URL(instance.url).port);
  });
  afterAll(async () => {
    await instance.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    use(first);
    await untilServed(first);
  });

  const use = ({ cert, key }: Pick<CertificateFiles, 'cert' | 'key'>): void => {
    copyFileSync(cert, served.TLS_CERT);
    copyFileSync(key, served.TLS_KEY);
  };
  const shake = async (options: ConnectionOptions = {}): Promise<TLSSocket> =>
    new Promise((done, fail) => {
      const ca = [authority.file, withRsa.ca].map((file) => readFileSync(file));
      const socket = connect({ host: '127.0.0.1', port, ca, ...options }, () => done(socket));
      socket.once('error', fail);
    });
  const servedNow = async (): Promise<string> => {
    const socket = await shake();
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return raw.toString('base64');
  };
  const untilServed = async ({ cert }: CertificateFiles): Promise<void> => {
    const pem = readFileSync(cert, 'utf8').replace(/-----[^-]+-----|\s/g, '');
    await eventually('it is served', RELOAD_TIMEOUT_MS, async () => (await servedNow()) === pem);
  };
  const agreed = async (options: ConnectionOptions): Promise<string> => {
    const socket = await shake(options);
    const text = `${socket.getProtocol()} ${socket.getCipher().name}`;
    socket.destroy();
    return text;
  };

  it('(81) speaks TLS 1.2 and 1.3, with forward secrecy', async () => {
    expect(await agreed({})).toMatch(/^TLSv1\.3 TLS_/);
    expect(await agreed({ maxVersion: 'TLSv1.2' })).toMatch(/^TLSv1\.2 ECDHE-ECDSA-.*(GCM|POLY)/);
  });

  // Cipher suites that the certificate type would support.
  it.each<[string, 'EC' | 'RSA', ConnectionOptions]>([
    ['TLS 1.1', 'EC', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' }],
    ['keys without forward secrecy', 'RSA', { ciphers: 'AES128-GCM-SHA256:AES256-GCM-SHA384' }],
    ['CBC', 'EC', { ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA' }],
    ['CBC', 'RSA', { ciphers: 'ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA' }],
  ])('(81) refuses %s, with a certificate of type %s', async (_, type, options) => {
    if (type === 'RSA') {
      use(withRsa);
      await untilServed(withRsa);
      expect(await agreed({ maxVersion: 'TLSv1.2' })).toMatch(/^TLSv1\.2 ECDHE-RSA-/);
    }

    await expect(agreed({ maxVersion: 'TLSv1.2', ...options })).rejects.toThrow(/alert|reset/i);
  });

  it('(82) does not answer plain HTTP, and sends HSTS for a year', async () => {
    const answer = await new Promise<string>((done) => {
      let text = '';
      const socket = connectTcp({ host: '127.0.0.1', port }, () =>
        socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      );
      socket.on('data', (data) => (text += String(data)));
      socket.on('error', () => undefined);
      socket.on('close', () => done(text));
    });
    expect(answer).not.toContain('HTTP/');

    const headers = await new Promise<Record<string, unknown>>((done, fail) => {
      const ca = readFileSync(authority.file);
      request({ host: '127.0.0.1', port, ca, path: '/health/live' }, (response) => {
        response.resume();
        done(response.headers);
      })
        .once('error', fail)
        .end();
    });
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
  });

  /** The expiry time of the certificate according to the metrics. */
  const expiry = async (): Promise<number> =>
    new Promise((done, fail) => {
      const options = {
        host: '127.0.0.1',
        port,
        path: '/metrics',
        ca: readFileSync(authority.file),
      };
      get(options, (response) => {
        void text(response).then((metrics) => {
          const line = /^keyslot_tls_certificate_expiry_timestamp_seconds (\d+)$/m.exec(metrics);
          done(Number(line?.[1]));
        }, fail);
      }).once('error', fail);
    });

  it('shows the expiry time of the certificate in the metrics', async () => {
    const nextYear = Date.UTC(new Date().getUTCFullYear() + 1, 0, 31);
    const longer = await authority.issueUntil(new Date(nextYear), LOCALHOST);
    const { validTo } = new X509Certificate(readFileSync(first.cert));
    expect(await expiry()).toBe(Date.parse(validTo) / 1000);

    use(longer);

    await untilServed(longer);
    expect(await expiry()).toBe(nextYear / 1000);
  });

  it('loads a renewed certificate without a restart, and keeps open connections', async () => {
    const open = await shake();
    const renewed = await authority.issue(LOCALHOST);

    use(renewed);

    await untilServed(renewed);
    const answered = new Promise<string>((done) => open.once('data', (data) => done(String(data))));
    open.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    open.destroy();
    // The limits of the first certificate still apply.
    await expect(
      agreed({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }),
    ).rejects.toThrow();
  });

  it('keeps the last valid certificate and key, logs the problem without their contents, and recovers', async () => {
    const renewed = await authority.issue(LOCALHOST);
    const before = await servedNow();
    const warnings = (): number => instance.output().split('do not match').length - 1;
    const warned = warnings();

    copyFileSync(renewed.cert, served.TLS_CERT);
    await eventually('it warns', RELOAD_TIMEOUT_MS, () => Promise.resolve(warnings() > warned));
    expect(await servedNow()).toBe(before);
    writeFileSync(served.TLS_CERT, 'no certificate');
    await eventually('it warns again', RELOAD_TIMEOUT_MS, () =>
      Promise.resolve(warnings() > warned + 1),
    );
    expect(await servedNow()).toBe(before);

    use(renewed);
    await untilServed(renewed);
    expect(instance.output()).not.toContain('PRIVATE KEY');
  });
});
