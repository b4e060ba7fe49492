import { randomBytes, randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { credentialsOf } from '../../src/guard/bearer-token.js';
import { acceptedClaims } from '../../src/guard/claims.js';
import { parseCompactToken } from '../../src/guard/compact-token.js';
import { VerifiedTokens, type VerifiedToken } from '../../src/guard/verified-tokens.js';
import { CacheKey } from '../../src/near-cache/index.js';
import { LocalStore } from '../../src/near-cache/local-store.js';
import type { SessionState } from '../../src/sessions/index.js';
import { parseSessionState } from '../../src/user-slot/read/session.reader.js';

const SESSIONS = 25_000;
/** Fewer than the capacity of the table. */
const TOKENS = 10_000;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const NOW = 1_764_089_000;

/** With a tolerance for changes of V8. */
const MAX_BYTES = { alone: 1180, tenPerUser: 1020, withoutProfile: 1085, token: 1300 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Exact except for V8's own tables, because nothing else runs between two calls. */
function usedBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Creates flat strings, as the Redis client does for each part of a reply. A concatenated string, as randomUUID returns,
 * keeps its parts, which would add 400 bytes to each entry.
 */
const received = (text: string): string => Buffer.from(text).toString();

interface Population {
  readonly perUser: number;
  readonly hasProfile: boolean;
}

function fillWithSessions(store: LocalStore, count: number, { perUser, hasProfile }: Population) {
  let userId = '';
  for (let index = 0; index < count; index += 1) {
    userId = index % perUser === 0 ? received(randomUUID()) : userId;
    const key = new CacheKey<SessionState>(`user.${userId}`, `session.${received(randomUUID())}`);
    // The address is not confirmed, and there is no second factor: their members are counted, and take almost no memory.
    const profile = hasProfile
      ? [`user-${index}@example.com`, '', 'Ada Lovelace', '["admin"]']
      : ['', '', '', '[]'];
    const times = [String(NOW * 1000), String(NOW * 1000)];
    const fields = [userId, `user-${index}`, ...profile, ...times, ''];
    const reply = ['live', 2_592_000_000, '{}', ...fields].map((part) =>
      typeof part === 'string' ? received(part) : part,
    );
    const load = store.beginLoad(key, true);
    store.finishLoad(key, load, parseSessionState(reply), NOW + index / 1000);
    store.endLoad(key, load);
    store.read(key, 0);
  }
}

function newToken(): string {
  const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const header = { alg: 'ES256', typ: 'at+jwt', kid: randomUUID() };
  const payload = {
    iss: 'https://keyslot.test',
    aud: 'keyslot',
    sub: randomUUID(),
    client_id: 'keyslot',
    iat: NOW,
    exp: NOW + 900,
    jti: randomUUID(),
    sid: randomUUID(),
    roles: ['admin'],
  };
  const signature = randomBytes(64).toString('base64url');
  return `${encoded(header)}.${encoded(payload)}.${signature}`;
}

function fillWithTokens(tokens: VerifiedTokens, count: number): void {
  const expected = { issuer: 'https://keyslot.test', audience: 'keyslot', now: NOW };
  for (let index = 0; index < count; index += 1) {
    const token = newToken();
    const { kid, payload } = parseCompactToken(token)!;
    const claims = acceptedClaims(payload, expected)!;
    const session = new CacheKey<SessionState>(`user.${claims.sub}`, `session.${claims.sid}`);
    // All tokens share one key object.
    const credentials = received(credentialsOf(token));
    const verified = { credentials, claims, kid, session, key: undefined };
    tokens.add(verified as unknown as VerifiedToken);
    tokens.get(credentials);
  }
}

describe('an instance keeps', () => {
  it.each<[string, Population, number]>([
    ['one of each user', { perUser: 1, hasProfile: true }, MAX_BYTES.alone],
    ['ten of each user', { perUser: 10, hasProfile: true }, MAX_BYTES.tenPerUser],
    ['of users without profile', { perUser: 1, hasProfile: false }, MAX_BYTES.withoutProfile],
  ])('sessions, %s, in no more bytes than it counts', (_, population, mostBytes) => {
    fillWithSessions(new LocalStore(1000, NO_LIMIT), 1000, population);
    const before = usedBytes();
    const store = new LocalStore(SESSIONS, NO_LIMIT);

    fillWithSessions(store, SESSIONS, population);

    const perEntry = (usedBytes() - before) / SESSIONS;
    expect(store.entryCount).toBe(SESSIONS);
    expect(perEntry).toBeLessThan(mostBytes);
    expect(perEntry).toBeLessThanOrEqual(store.bytes / SESSIONS);
    // And not far below: the granted memory should be used.
    expect(perEntry).toBeGreaterThan((0.8 * store.bytes) / SESSIONS);
  });

  it('verified tokens within the memory that it estimates', () => {
    fillWithTokens(new VerifiedTokens(), 1000);
    const tokens = new VerifiedTokens();
    const before = usedBytes();

    fillWithTokens(tokens, TOKENS);

    const perToken = (usedBytes() - before) / TOKENS;
    expect(perToken).toBeLessThan(MAX_BYTES.token);
    expect(perToken).toBeLessThanOrEqual(tokens.bytes / TOKENS);
  });
});
