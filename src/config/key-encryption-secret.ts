import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Secret } from '../common/secret/index.js';
import { SettingsError } from './settings.error.js';

/**
 * The secret for those who set none: made once and kept in the data folder, for every instance of this checkout.
 *
 * @throws SettingsError when the folder cannot be written, or the file can be read by others
 */
export function keyEncryptionSecretFrom(dataDirectory: string): Secret {
  const file = join(dataDirectory, 'key-encryption-secret');
  const draft = `${file}.${randomUUID()}`;
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    // A link appears whole and only once: instances that start together all read the first one's secret.
    try {
      linkSync(draft, file);
    } finally {
      rmSync(draft);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new SettingsError([
        'KEY_ENCRYPTION_SECRET is needed, because DATA_DIRECTORY cannot be written',
      ]);
    }
  }
  const { mode, size } = statSync(file);
  if ((mode & 0o077) !== 0) {
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET was found in ${file}, which other users can read: chmod 600 it`,
    ]);
  }
  const secret = readSecret(file);
  if (size === 0 || secret === undefined) {
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET was looked for in ${file}, which is no file that can be read, or is empty`,
    ]);
  }
  return new Secret(secret);
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
