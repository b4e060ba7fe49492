import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** Whether two PEM texts are a certificate, optionally with its chain, and the matching private key. */
export function isCertificatePair(cert: string, key: string): boolean {
  return isCertificate(cert) && isKey(key) && belongTogether(cert, key);
}

export function isCertificate(pem: string): boolean {
  return succeeds(() => new X509Certificate(pem));
}

function isKey(pem: string): boolean {
  return succeeds(() => createPrivateKey(pem));
}

function belongTogether(cert: string, key: string): boolean {
  return succeeds(() => createSecureContext({ cert, key }));
}

/** Drops the error, because its message may contain key material. */
function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
