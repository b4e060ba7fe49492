import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Secret } from '../common/secret/index.js';
import { aclFileLine, aclSetUser, CLIENT_COMMANDS } from './acl.js';

const source = new URL('..', import.meta.url).pathname;
const scripts = (readdirSync(source, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.lua'))
  .map((name) => readFileSync(join(source, name), 'utf8').replace(/^--.*$/gm, ''));

/** The scripts that a service runs, with their includes. */
const GUARD_SCRIPTS = [
  ...['fence', 'now'].map((name) => `redis-cluster/scripts/includes/${name}.lua`),
  'near-cache/scripts/includes/directory.lua',
  ...['close-inbox', 'find-changes', 'finish-changes', 'hold', 'is-retired'].map(nearCache),
  ...['post', 'post-again', 'renew-inbox', 'report-instance', 'retire-instance'].map(nearCache),
  'keys/read/scripts/read-keys.lua',
  'roles/read/scripts/read-roles.lua',
  'service-accounts/read/scripts/read-account.lua',
  ...['live', 'verified-tokens'].map((name) => `user-slot/scripts/includes/${name}.lua`),
  ...['check-session', 'use-session'].map((name) => `user-slot/scripts/${name}.lua`),
];

function nearCache(name: string): string {
  return `near-cache/scripts/${name}.lua`;
}

describe('the Redis user with minimum permissions (94)', () => {
  const user = { username: 'keyslot', password: new Secret('hunter2'), keyPrefix: 'ks:' };

  it('may run the commands of the scripts and the client, and no others', () => {
    const called = scripts.flatMap((text) =>
      [...text.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name = '']) => name.toLowerCase()),
    );
    // The list would miss a command name that is composed at run time.
    expect(scripts.flatMap((text) => text.match(/\bp?call\b(?!\(cjson)/g) ?? [])).toHaveLength(
      called.length,
    );
    const rights = aclFileLine(user).split(' ').slice(8);

    const allowed = [...new Set([...called, ...CLIENT_COMMANDS])].sort();
    expect(rights).toEqual(['-@all', ...allowed.map((command) => `+${command}`)]);
  });

  it('of a service may run the commands of the scripts of the guard and the client, and no others', () => {
    const texts = GUARD_SCRIPTS.map((name) => readFileSync(join(source, name), 'utf8'));
    const called = texts.flatMap((text) =>
      [...text.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name = '']) => name.toLowerCase()),
    );
    const line = aclFileLine({ ...user, kind: 'guard' });
    const [rights = '', runners] = line.split(' (');

    const expected = [...called, ...CLIENT_COMMANDS].filter((name) => !/^eval/.test(name));
    expect(rights.match(/(?<=\+)\S+/g)).toEqual([...new Set(expected)].sort());
    // The right to declare any key of the prefix, and nothing else.
    expect(runners).toBe('~ks:* -@all +eval +evalsha)');
  });

  it('of a service may write only keys that decide nothing, as documented', () => {
    const line = aclFileLine({ ...user, kind: 'guard', keyPrefix: 'a*b:' });
    const [rights = ''] = line.split(' (');
    const written = [...rights.matchAll(/ ~a\\\*b:v1:(\S+)/g)].map(([, key = '']) => key);
    const read = [...rights.matchAll(/ %R~a\\\*b:v1:(\S+)/g)].map(([, key = '']) => key);
    const page = readFileSync(join(source, '../docs/operations/redis-users.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (`\{.*?) +\| (read|write|read\/write) +\|/gm)];
    const documented = (...kinds: string[]): string[] =>
      rows
        .filter(([, , right = '']) => kinds.includes(right))
        .flatMap(([, keys = '']) => [...keys.matchAll(/`(.*?)`/g)].map(([, key = '']) => key));

    expect(written.sort()).toEqual(documented('write', 'read/write').sort());
    expect(read.sort()).toEqual(documented('read').sort());
    expect(written.filter((key) => /record|sessions|hash|:set/.test(key))).toEqual([]);
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
