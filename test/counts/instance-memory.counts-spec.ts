import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { acceptedClaims } from '../../src/auth/access-token/claims.js';
import { parseCompactToken } from '../../src/auth/access-token/compact-token.js';
import { VerifiedTokens } from '../../src/auth/access-token/verified-tokens.js';
import { CacheKey } from '../../src/near-cache/index.js';
import { LocalStore } from '../../src/near-cache/local-store.js';
import type { SessionState } from '../../src/sessions/index.js';
import { scripts } from '../../src/sessions/sessions.scripts.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const used = () => { collectGarbage(); collectGarbage(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
const text = (t: string): string => Buffer.from(t).toString();

describe('x', () => {
  it.each([[1], [2], [10]])('l1 %s', (perUser) => {
    const COUNT = 50_000;
    const warmup = new LocalStore(100, 1e6);
    const fill = (store: LocalStore, n: number, keep?: CacheKey<SessionState>[]) => {
      let user = '';
      for (let i = 0; i < n; i++) {
        if (i % perUser === 0) user = randomUUID();
        const key = new CacheKey<SessionState>(`user.${user}`, `session.${randomUUID()}`);
        const state = scripts.use.parse(['live', 2_592_000_000, text('{}'), text(user), text(`user-${i}`), text(`user-${i}@example.com`), text('Ada Lovelace'), text('["admin"]'), text('1764089000123'), text('1764089000123')]);
        const load = store.beginLoad(key, true);
        load.promise = Promise.resolve(state);
        store.finishLoad(key, load, state, 12345.678 + i);
        store.endLoad(key, load);
        store.read(key, 0);
        keep?.push(key);
      }
    };
    fill(warmup, 1000);
    const before = used();
    const store = new LocalStore(COUNT, 1e12);
    const afterEmpty = used();
    fill(store, COUNT);
    const after = used();
    console.log(perUser, 'table', (afterEmpty - before) / COUNT, 'per entry', (after - before) / COUNT, 'estimate', store.bytes / COUNT, store.entryCount);
  });
  it('tokens', () => {
    const COUNT = 20_000;
    const tokenOf = (i: number) => {
      const user = randomUUID();
      const h = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: randomUUID() })).toString('base64url');
      const p = Buffer.from(JSON.stringify({ iss: 'https://keyslot.test', aud: 'keyslot', sub: user, client_id: 'keyslot', iat: 1764089000, exp: 1764089900, jti: randomUUID(), sid: randomUUID(), roles: ['admin'] })).toString('base64url');
      return text(`${h}.${p}.${Buffer.alloc(64, i % 251).toString('base64url')}`);
    };
    const fill = (tokens: VerifiedTokens, n: number) => {
      for (let i = 0; i < n; i++) {
        const token = tokenOf(i);
        const parsed = parseCompactToken(token)!;
        const claims = acceptedClaims(parsed.payload, { issuer: 'https://keyslot.test', audience: 'keyslot', now: 1764089001 })!;
        tokens.add(token, { claims, key: undefined as never, kid: parsed.kid, session: new CacheKey(`user.${claims.sub}`, `session.${claims.sid}`) });
        tokens.get(token);
      }
    };
    fill(new VerifiedTokens(), 500);
    const before = used();
    const tokens = new VerifiedTokens();
    const empty = used();
    fill(tokens, COUNT);
    const after = used();
    console.log('token length', tokenOf(1).length, 'table', empty - before, 'per', (after - empty) / COUNT, tokens.bytes / COUNT);
  });
});
