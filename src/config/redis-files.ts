import { readFile, stat } from 'node:fs/promises';

import { Secret } from '../common/secret/index.js';
import { isCertificate, isCertificatePair } from './certificate-pair.js';
import { secretMistake, withoutLineEnd } from './secret-files.js';
import type { Settings } from './settings.js';

type RedisSettings = Settings['redis'];
type RedisIdentity = Pick<RedisSettings, 'password' | 'tls'>;

/**
 * Creates a function that reads the password and certificates for Redis again, for new connections. While a file is
 * unreadable or invalid, or a certificate does not match its key yet, the last valid value stays in use.
 *
 * @returns undefined when none of the values came from a file
 */
export function redisIdentityFrom(
  redis: RedisSettings,
): (() => Promise<RedisIdentity>) | undefined {
  const { files } = redis;
  if (!files) {
    return undefined;
  }
  let { password, tls } = redis;
  return async () => {
    const [text, ca, cert, key] = await Promise.all(
      [files.password, files.ca, files.cert, files.key].map(read),
    );
    const secret = withoutLineEnd(text ?? '');
    if (secretMistake(secret) === undefined) {
      password = new Secret(secret);
    }
    if (tls) {
      tls = { ...tls, ...(ca && isCertificate(ca) ? { ca } : {}) };
      if (cert && key && isCertificatePair(cert, key)) {
        tls = { ...tls, cert, key: new Secret(key) };
      }
    }
    return { ...(password ? { password } : {}), ...(tls ? { tls } : {}) };
  };
}

/** Reads regular files only. A pipe, such as a shell's process substitution, can be read only once, and could block. */
async function read(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) {
    return undefined;
  }
  try {
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
