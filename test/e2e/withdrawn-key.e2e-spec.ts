import { AuditLog } from '../../src/audit/index.js';
import { Clock } from '../../src/common/clock/index.js';
import { Deadline } from '../../src/common/deadline/index.js';
import { Origin } from '../../src/common/origin/index.js';
import { KeyRotation, KeySetStore } from '../../src/keys/index.js';
import { NearCache } from '../../src/near-cache/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { decode } from '../support/forge.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('after the key that signs was withdrawn', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp({ REFRESH_GRACE: '30s' })));
  afterAll(async () => api.close());

  const withdraw = async (kid: string): Promise<void> => {
    const [cache, clock] = [api.app.get(NearCache), api.app.get(Clock, { strict: false })];
    const store = new KeySetStore(api.app.get(RedisCluster), cache, clock);
    const rotation = new KeyRotation(store, clock, api.app.get(AuditLog), {
      lifetimeMs: Infinity,
      encryptionSecret: () => api.settings.jwt.keyEncryptionSecret,
      origin: Origin.operator,
    });
    await rotation.withdraw(kid, Deadline.none);
  };

  it('replays a refresh with an access token of the new key (24, 33)', async () => {
    const { tokens } = await api.newUser();
    const { body: lost } = await api.refresh(tokens.refresh_token);
    expect((await api.ownUser(lost.access_token)).status).toBe(200);
    const former = decode(lost.access_token).header['kid'] as string;

    await withdraw(former);

    expect((await api.ownUser(lost.access_token)).status).toBe(401);
    const { status, body: replayed } = await api.refresh(tokens.refresh_token);
    expect({ status, refresh: replayed.refresh_token }).toEqual({
      status: 200,
      refresh: lost.refresh_token,
    });
    expect(decode(replayed.access_token).header['kid']).not.toBe(former);
    expect((await api.ownUser(replayed.access_token)).status).toBe(200);
  });
});
