import { readFile, stat } from 'node:fs/promises';

import { Secret } from '../common/secret/index.js';
import { isCertificate, isCertificatePair } from './certificate-pair.js';
import { secretMistake, withoutLineEnd } from './secret-files.js';
import type { Settings } from './settings.js';

type RedisSettings = Settings['redis'];
type RedisIdentity = Pick<RedisSettings, 'password' | 'tls'>;

/**
 * Reads the files again that hold the password and the certificates for Redis, for connections to come. A file that
 * cannot be read, breaks a rule of the start, or does not belong to the other one yet leaves what was read before in use.
 *
 * @returns undefined when none of it came from a file
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

/** Only what is a file: a pipe, such as one of the shell, can be read once, and could keep a reader waiting. */
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
