import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadSettings } from './load-settings.js';
import { redisIdentityFrom } from './redis-files.js';

describe('reloading the Redis password and certificates', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'keyslot-redis-files-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The password for connections after the file has changed. */
  const passwordAfter = async (text: string): Promise<string | undefined> => {
    const file = join(folder, 'password');
    writeFileSync(file, 'the first one\n');
    const variables = { DATA_DIRECTORY: folder, REDIS_PASSWORD_FILE: file };
    const identity = redisIdentityFrom(loadSettings(variables, join(folder, '.env')).redis)!;
    writeFileSync(file, text);
    return (await identity()).password?.reveal();
  };

  it.each(['the next one', 'the next one\n', 'the next one\r\n'])(
    'use the password without its line end: %j',
    async (text) => {
      expect(await passwordAfter(text)).toBe('the next one');
    },
  );

  it.each(['', '\n', '\r\n', 'one\ntwo', 'one\ntwo\n', 'one\n\n', 'one\rtwo', 'a\0b'])(
    'keep the current password when the new one violates a rule for settings: %j',
    async (text) => {
      expect(await passwordAfter(text)).toBe('the first one');
    },
  );
});
