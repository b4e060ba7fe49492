import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeDirectory } from '../common/files/index.js';
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
    makeDirectory(dataDirectory, 0o700);
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    try {
      linkUnlessThere(draft, file);
    } finally {
      rmSync(draft);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET is needed, because DATA_DIRECTORY cannot be written (${code})`,
    ]);
  }
  return readSecret(file);
}

/** A link appears whole and only once: instances that start together all read the first one's secret. */
function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
}

function readSecret(file: string): Secret {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && (stats.mode & 0o077) !== 0) {
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET was found in ${file}, which other users can read: chmod 600 it`,
    ]);
  }
  // A pipe would keep its reader waiting.
  const secret = stats?.isFile() === true ? textOf(file) : '';
  if (secret === '') {
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET was looked for in ${file}, which is no file that can be read, or is empty`,
    ]);
  }
  return new Secret(secret);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
