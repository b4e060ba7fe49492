import { signEs256 } from '../support/forge.js';
import { startWithVictim, type Victim, type Json } from '../support/victim.js';

/** Contents of access tokens: requirements 1 to 3 and 12 to 14. */
describe('access tokens', () => {
  let victim: Victim;
  let api: Victim['api'];
  let user: Victim['user'];
  let token: Victim['token'];
  let header: Victim['header'];
  let payload: Victim['payload'];
  let key: Victim['key'];
  let signed: Victim['signed'];
  let signedWithout: Victim['signedWithout'];
  let publishedKey: Victim['publishedKey'];
  let expectRefused: Victim['expectRefused'];
  beforeAll(async () => {
    victim = await startWithVictim();
    ({
      api,
      user,
      token,
      header,
      payload,
      key,
      signed,
      signedWithout,
      publishedKey,
      expectRefused,
    } = victim);
  });
  afterAll(async () => victim.api.close());
  afterEach(async () => victim.expectStillAccepted());

  it('accepts a correctly signed token: each forgery below differs in one detail', async () => {
    expect((await api.ownUser(signed({}))).status).toBe(200);
  });

  it('(1) are three compact segments with alg, typ and a published kid', async () => {
    expect(token.split('.')).toHaveLength(3);
    expect(header).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: (await publishedKey()).kid,
    });
  });

  it('(2) contain the claims of RFC 9068 and the session id', () => {
    expect(payload).toEqual({
      iss: 'https://keyslot.test',
      aud: 'keyslot',
      sub: user.id,
      client_id: 'keyslot',
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
      sid: user.tokens.session_id,
      roles: [],
      auth_time: expect.any(Number),
      amr: ['pwd'],
    });
    // The token is signed within two seconds after the login.
    const age = Number(payload['iat']) - Number(payload['auth_time']);
    expect([0, 1, 2]).toContain(age);
  });

  it('(3) are valid for 15 minutes; a lifetime over one hour is refused', async () => {
    const { exp, iat } = payload as { exp: number; iat: number };
    expect(exp - iat).toBe(900);
    expect(user.tokens.expires_in).toBe(900);

    await expectRefused(signed({ payload: { exp: iat + 3601 } }));
    await expectRefused(signed({ payload: { exp: 253_402_300_799 } }));
    await expectRefused(signed({ payload: { exp: exp * 1000 } }));
    const endless = JSON.stringify(payload).replace(/"exp":\d+/, '"exp":1e999');
    await expectRefused(signEs256(header, endless, key));
  });

  it('(12) are refused unless iss is exactly ours', async () => {
    const iss = String(payload['iss']);
    const variants = [
      [iss],
      [iss, 'https://evil.test'],
      `${iss}/`,
      iss.toUpperCase(),
      `${iss}\n`,
      ` ${iss}`,
      `${iss}.evil.test`,
      iss.slice(0, -1),
      '',
      null,
      {},
      1,
    ];
    for (const variant of variants) {
      await expectRefused(signed({ payload: { iss: variant } }));
    }
    await expectRefused(signedWithout('payload', 'iss'));
  });

  it('(13) are refused unless aud is ours, alone or in a list', async () => {
    for (const aud of [
      'keyslo',
      'keyslot2',
      'a,keyslot',
      [['keyslot']],
      { 0: 'keyslot' },
      [],
      null,
    ]) {
      await expectRefused(signed({ payload: { aud } }));
    }
    await expectRefused(signed({ payload: { aud: ['keyslot', 1] } }));
    await expectRefused(signedWithout('payload', 'aud'));
    expect((await api.ownUser(signed({ payload: { aud: ['x', 'keyslot'] } }))).status).toBe(200);
  });

  it('(14) are refused outside their validity period, and when the times are not numbers', async () => {
    const now = Math.floor(Date.now() / 1000);
    const times: Json[] = [
      { iat: now - 901, exp: now - 1 },
      { iat: now + 60, exp: now + 900 },
      { nbf: now + 60 },
      { iat: now, exp: now },
      { iat: now + 10, exp: now + 5 },
    ];
    for (const wrong of times) {
      await expectRefused(signed({ payload: wrong }));
    }
    for (const member of ['exp', 'iat', 'nbf']) {
      for (const value of [String(now + 60), null, true, [now + 60], {}, now + 0.5, -1]) {
        if (member === 'nbf' && value === -1) {
          continue; // a time long past
        }
        await expectRefused(signed({ payload: { [member]: value } }));
      }
    }
    await expectRefused(signedWithout('payload', 'exp'));
    await expectRefused(signedWithout('payload', 'iat'));
    expect((await api.ownUser(signed({ payload: { nbf: now } }))).status).toBe(200);
  });
});
