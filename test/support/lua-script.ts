import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LuaScript } from '../../src/redis-cluster/index.js';

/** A script of a test's own. */
export function luaScript(source: string): LuaScript<unknown> {
  const file = join(tmpdir(), `${randomUUID()}.lua`);
  writeFileSync(file, source);
  return LuaScript.fromFile(pathToFileURL(file), (reply) => reply);
}
