import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';

import { isCertificatePair, type Settings } from '../config/index.js';
import type { MetricsRegistry } from '../metrics/index.js';

type TlsSettings = NonNullable<Settings['http']['tls']>;

/** Files are looked at, and not watched: what renews a certificate often puts a link to a new folder in place of the old. */
const LOOK_EVERY_MS = 1000;

/** With forward secrecy and authenticated encryption only (BSI TR-02102-2, Mozilla "intermediate"). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** What a server of ours offers to its clients. */
export function secureContext(cert: string, key: string): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS, ecdhCurve: 'X25519:P-256:P-384' };
}

/** The certificate of the public port: renewed ones are taken up, and the metrics tell when it runs out. */
export function renewCertificate(
  server: FastifyInstance,
  tls: TlsSettings,
  {
    metrics,
    logger,
  }: { readonly metrics: MetricsRegistry; readonly logger: Pick<Logger, 'info' | 'warn'> },
): void {
  const expiresAt = reloadCertificate(server.server as unknown as Server, tls, logger);
  metrics.gauge(
    'keyslot_tls_certificate_expiry_timestamp_seconds',
    'When the certificate that is served runs out, in seconds since the epoch.',
    () => expiresAt().getTime() / 1000,
  );
}

/**
 * Takes up a renewed certificate for the connections to come; those that are open go on. While the two files do not belong
 * together, because only one of them is new yet, the last pair that did stays in use.
 *
 * @returns when the certificate in use runs out
 */
function reloadCertificate(
  server: Server,
  { cert, key, files }: TlsSettings,
  logger: Pick<Logger, 'info' | 'warn'>,
): () => Date {
  let expiresAt = new Date(new X509Certificate(cert).validTo);
  let seen = digestOf(cert, key.reveal());
  const look = async (): Promise<void> => {
    const [newCert, newKey] = await Promise.all([
      readFile(files.cert, 'utf8'),
      readFile(files.key, 'utf8'),
    ]);
    const found = digestOf(newCert, newKey);
    if (found === seen) {
      return;
    }
    seen = found;
    if (!isCertificatePair(newCert, newKey)) {
      logger.warn('TLS_CERT and TLS_KEY are no pair now: the last one that was stays in use.');
      return;
    }
    server.setSecureContext(secureContext(newCert, newKey));
    const { fingerprint256, validTo } = new X509Certificate(newCert);
    expiresAt = new Date(validTo);
    logger.info({ fingerprint256, validTo }, 'The certificate was renewed.');
  };
  const tellOnce = ({ code = 'unknown' }: NodeJS.ErrnoException): void => {
    if (seen !== code) {
      seen = code;
      logger.warn({ code }, 'TLS_CERT or TLS_KEY cannot be read: the last pair stays in use.');
    }
  };
  let isLooking = false;
  const timer = setInterval(() => {
    if (!isLooking) {
      isLooking = true;
      void look()
        .catch(tellOnce)
        .finally(() => (isLooking = false));
    }
  }, LOOK_EVERY_MS).unref();
  server.once('close', () => clearInterval(timer));
  return () => expiresAt;
}

function digestOf(cert: string, key: string): string {
  return createHash('sha256').update(cert).update(key).digest('hex');
}
