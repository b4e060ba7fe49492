import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeDirectory } from '../common/files/index.js';
import { Secret } from '../common/secret/index.js';
import { SettingsError } from './settings.error.js';

/**
 * Returns the generated secret that is used when none is set. It is created once in the data folder.
 *
 * @throws SettingsError when the folder cannot be written, or the file can be read by others
 */
export function loadOrCreateKeyEncryptionSecret(dataDirectory: string): Secret {
  const file = fileIn(dataDirectory);
  const draft = `${file}.${randomUUID()}`;
  try {
    makeDirectory(dataDirectory, 0o700);
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    try {
      linkIfAbsent(draft, file);
    } finally {
      rmSync(draft);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET is required, because DATA_DIRECTORY is not writable (${code})`,
    ]);
  }
  return readSecret(file);
}

/**
 * @returns the generated secret, if there is one. It creates nothing
 * @throws SettingsError when the file can be read by others
 */
export function findKeyEncryptionSecret(dataDirectory: string): Secret | undefined {
  const file = fileIn(dataDirectory);
  return existsSync(file) ? readSecret(file) : undefined;
}

function fileIn(dataDirectory: string): string {
  return join(dataDirectory, 'key-encryption-secret');
}

/** Creating a link is atomic and fails if it exists, so instances that start together all read the same secret. */
function linkIfAbsent(draft: string, file: string): void {
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
      `KEY_ENCRYPTION_SECRET is in ${file}, which other users can read. Run chmod 600 on it`,
    ]);
  }
  // Reading a pipe could block forever.
  const secret = stats?.isFile() === true ? textOf(file) : '';
  if (secret === '') {
    throw new SettingsError([
      `KEY_ENCRYPTION_SECRET must be in ${file}, which is empty or not a readable file`,
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
