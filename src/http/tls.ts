import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';

import { isCertificatePair, type Settings } from '../config/index.js';
import type { MetricsRegistry } from '../metrics/index.js';

type TlsSettings = NonNullable<Settings['http']['tls']>;

/** Polls instead of watching: renewal tools often replace a symbolic link to a folder, which a watcher misses. */
const POLL_INTERVAL_MS = 1000;

/** Only forward secrecy and authenticated encryption (BSI TR-02102-2, Mozilla "intermediate"). */
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

/** TLS options of the public port. */
export function secureContext(cert: string, key: string): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS, ecdhCurve: 'X25519:P-256:P-384' };
}

/** Reloads the certificate of the public port when its files change, and exports its expiry as a metric. */
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
    'Expiry of the certificate in use, in seconds since the epoch.',
    () => expiresAt().getTime() / 1000,
  );
}

/**
 * Uses a renewed certificate for new connections. Open connections continue. While the two files do not match, because only
 * one was replaced so far, the last valid pair stays in use.
 *
 * @returns a function that returns the expiry of the certificate in use
 */
function reloadCertificate(
  server: Server,
  { cert, key, files }: TlsSettings,
  logger: Pick<Logger, 'info' | 'warn'>,
): () => Date {
  let expiresAt = new Date(new X509Certificate(cert).validTo);
  /** Digest of the files at the last poll, or the code of the error that reading them gave. */
  let lastSeen = digestOf(cert, key.reveal());
  const reload = async (): Promise<void> => {
    const [newCert, newKey] = await Promise.all([
      readFile(files.cert, 'utf8'),
      readFile(files.key, 'utf8'),
    ]);
    const found = digestOf(newCert, newKey);
    if (found === lastSeen) {
      return;
    }
    lastSeen = found;
    if (!isCertificatePair(newCert, newKey)) {
      logger.warn('TLS_CERT and TLS_KEY do not match. The last valid pair stays in use.');
      return;
    }
    server.setSecureContext(secureContext(newCert, newKey));
    const { fingerprint256, validTo } = new X509Certificate(newCert);
    expiresAt = new Date(validTo);
    logger.info({ fingerprint256, validTo }, 'The certificate was renewed.');
  };
  const warnOnce = ({ code = 'unknown' }: NodeJS.ErrnoException): void => {
    if (lastSeen !== code) {
      lastSeen = code;
      logger.warn(
        { code },
        'TLS_CERT or TLS_KEY cannot be read. The last valid pair stays in use.',
      );
    }
  };
  let isReloading = false;
  const timer = setInterval(() => {
    if (!isReloading) {
      isReloading = true;
      void reload()
        .catch(warnOnce)
        .finally(() => (isReloading = false));
    }
  }, POLL_INTERVAL_MS).unref();
  server.once('close', () => clearInterval(timer));
  return () => expiresAt;
}

function digestOf(cert: string, key: string): string {
  return createHash('sha256').update(cert).update(key).digest('hex');
}
