import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Secret } from '../common/secret/index.js';
import { aclFileLine, aclSetUser, CLIENT_COMMANDS } from './acl.js';

const source = new URL('..', import.meta.url).pathname;
const scripts = (readdirSync(source, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.lua'))
  .map((name) => readFileSync(join(source, name), 'utf8').replace(/^--.*$/gm, ''));

describe('the Redis user with minimum permissions (94)', () => {
  const user = { username: 'keyslot', password: new Secret('hunter2'), keyPrefix: 'ks:' };

  it('may run the commands of the scripts and the client, and no others', () => {
    const called = scripts.flatMap((text) =>
      [...text.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name = '']) => name.toLowerCase()),
    );
    // The list would miss a command name that is composed at run time.
    expect(scripts.flatMap((text) => text.match(/\bp?call\b/g) ?? [])).toHaveLength(called.length);
    const rights = aclFileLine(user).split(' ').slice(8);

    const allowed = [...new Set([...called, ...CLIENT_COMMANDS])].sort();
    expect(rights).toEqual(['-@all', ...allowed.map((command) => `+${command}`)]);
  });

  it('is documented for operators, permission by permission', () => {
    const page = readFileSync(join(source, '../docs/operations/redis-users.md'), 'utf8');
    const section = /^## Redis: user and rights$.*?^## /ms.exec(page)![0];
    const rights = aclFileLine(user).match(/(?<=\+)\S+/g)!;

    expect(rights.filter((right) => !section.includes(`\`${right}\``))).toEqual([]);
  });

  it('may use only the keys and channels of its prefix, taken literally', () => {
    expect(aclSetUser(user)).toContain(' resetkeys ~ks:* resetchannels &ks:* -@all +asking ');
    expect(aclFileLine({ ...user, keyPrefix: 'a*b?[c]\\' })).toContain(
      ' ~a\\*b\\?\\[c\\]\\\\* resetchannels &a\\*b\\?\\[c\\]\\\\* ',
    );
  });

  it('is printed with the digest of the password, never with the password (93)', () => {
    const digest = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7';

    expect(aclSetUser(user)).toMatch(new RegExp(`^ACL SETUSER keyslot reset on #${digest} `));
    expect(aclFileLine(user)).toMatch(new RegExp(`^user keyslot on #${digest} `));
    expect(aclSetUser(user) + aclFileLine(user)).not.toContain('hunter2');
    expect(aclSetUser({ username: 'keyslot', keyPrefix: 'ks:' })).toContain(
      ' on #sha256-of-the-password ',
    );
  });
});
