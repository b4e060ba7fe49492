import { jest } from '@jest/globals';
import {
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { SigningKeys } from '../../src/keys/index.js';
import { RedisCluster } from '../../src/redis-cluster/index.js';
import { b64, decode, signatureTwin, signEs256, signHmac } from '../support/forge.js';
import type { TestUser } from '../support/http-client.js';
import { rawHttp, statusOf } from '../support/raw-http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

type Json = Record<string, unknown>;

/** Requirements 1 to 20: what an access token is, and everything that is not one. */
describe('access tokens', () => {
  let api: TestApp;
  let user: TestUser;
  let token: string;
  let header: Json;
  let payload: Json;
  let key: KeyObject;

  beforeAll(async () => {
    api = await startTestApp();
    user = await api.newUser('victim');
    token = user.tokens.access_token;
    ({ header, payload } = decode(token));
    key = (await api.app.get(SigningKeys).ring()).signingKey;
  });
  afterAll(async () => api.close());
  // 20: a refused forgery never makes the valid token fail.
  afterEach(async () => expect((await api.ownUser(token)).status).toBe(200));

  const expectRefused = async (forged: string): Promise<void> => {
    const answer = await api.ownUser(forged);
    expect({ forged, status: answer.status }).toEqual({ forged, status: 401 });
    expect(answer.body).toMatchObject({ code: 'invalid-token' });
  };
  /** A token signed with the real key, so that only the change can be the reason to refuse it. */
  const signed = (change: { header?: Json; payload?: Json }): string =>
    signEs256({ ...header, ...change.header }, { ...payload, ...change.payload }, key);
  const signedWithout = (part: 'header' | 'payload', member: string): string => {
    const copies = { header: { ...header }, payload: { ...payload } };
    delete copies[part][member];
    return signEs256(copies.header, copies.payload, key);
  };
  const publishedKey = async (): Promise<JsonWebKey> =>
    (await api.request<{ keys: JsonWebKey[] }>('GET', '/.well-known/jwks.json')).body.keys[0]!;

  it('accepts a token that is signed like its own: the forgeries below differ in one thing', async () => {
    expect((await api.ownUser(signed({}))).status).toBe(200);
  });

  it('(1) are three compact segments with alg, typ and a published kid', async () => {
    expect(token.split('.')).toHaveLength(3);
    expect(header).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: ((await publishedKey()) as { kid: string }).kid,
    });
  });

  it('(2) carry the claims of RFC 9068, and the session', () => {
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
    });
  });

  it('(3) live 15 minutes, and longer than an hour is refused', async () => {
    const { exp, iat } = payload as { exp: number; iat: number };
    expect(exp - iat).toBe(900);
    expect(user.tokens.expires_in).toBe(900);

    await expectRefused(signed({ payload: { exp: iat + 3601 } }));
    await expectRefused(signed({ payload: { exp: 253_402_300_799 } }));
    await expectRefused(signed({ payload: { exp: exp * 1000 } }));
    const endless = JSON.stringify(payload).replace(/"exp":\d+/, '"exp":1e999');
    await expectRefused(signEs256(header, endless, key));
  });

  it('(4) are refused with alg none, in every spelling and as any other thing', async () => {
    const spellings = Array.from({ length: 16 }, (_, bits) =>
      Array.from('none', (char, index) => (bits & (1 << index) ? char.toUpperCase() : char)).join(
        '',
      ),
    );
    const others = [' none', 'none ', 'nοne', '', null, [], ['none'], ['ES256'], {}, 0, true];
    for (const alg of [...spellings, ...others]) {
      const input = `${b64({ ...header, alg })}.${b64(payload)}`;
      await expectRefused(`${input}.`);
      await expectRefused(`${input}.${token.split('.')[2]}`);
      await expectRefused(signEs256({ ...header, alg }, payload, key));
    }
    await expectRefused(signedWithout('header', 'alg'));
  });

  it('(5) are refused with every HMAC, whatever is taken for its secret', async () => {
    const jwk = await publishedKey();
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const secrets = [
      ...[pem, pem.replaceAll('\n', '\r\n'), pem.trim(), `\n${pem}`, pem.replaceAll('\n', '')],
      publicKey.export({ type: 'spki', format: 'der' }),
      ...[JSON.stringify(jwk), JSON.stringify({ keys: [jwk] })],
      ...[jwk.x!, jwk.y!, Buffer.from(jwk.x!, 'base64url'), Buffer.from(jwk.y!, 'base64url')],
      ...[String(header['kid']), '', 'secret', 'keyslot', 'your-256-bit-secret', 'undefined'],
    ];
    const hashes = [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const;
    for (const [alg, hash] of hashes) {
      for (const secret of secrets) {
        await expectRefused(signHmac(hash, { ...header, alg }, payload, secret));
        await expectRefused(signHmac(hash, header, payload, secret));
      }
    }
  });

  it('(6) are refused when the header names another algorithm than the key has', async () => {
    for (const alg of ['ES384', 'ES512', 'ES256K', 'RS256', 'PS256', 'EdDSA', 'es256', 'ES256 ']) {
      await expectRefused(signed({ header: { alg } }));
    }
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const input = `${b64({ ...header, alg: 'RS256' })}.${b64(payload)}`;
    const signature = sign('sha256', Buffer.from(input), rsa).toString('base64url');
    await expectRefused(`${input}.${signature}`);
  });

  it('(7) are refused with any other signature', async () => {
    const [h, p, s = ''] = token.split('.');
    const bytes = Buffer.from(s, 'base64url');
    const flipped = Buffer.from(bytes);
    flipped[40]! ^= 1;
    const other = await api.newUser();
    const signatures = [
      '',
      bytes.subarray(0, 63),
      Buffer.concat([bytes, Buffer.from([0])]),
      flipped,
      Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]),
      Buffer.alloc(64),
      Buffer.from(other.tokens.access_token.split('.')[2]!, 'base64url'),
    ];
    for (const signature of signatures) {
      await expectRefused(`${h}.${p}.${b64(signature)}`);
    }
    await expectRefused(`${h}.${p}`);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    await expectRefused(signEs256(header, payload, stranger));
    // The DER form of a good signature is not the JWS form.
    const der = sign('sha256', Buffer.from(`${h}.${p}`), key);
    await expectRefused(`${h}.${p}.${der.toString('base64url')}`);
  });

  it('(8) are refused when they bring or name a key, and nobody calls there', async () => {
    let calls = 0;
    const canary = createServer((_, response) => {
      calls += 1;
      response.end('{}');
    });
    // Unreferenced, so that a failure here ends the run instead of keeping it open.
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve).unref());
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/jwks.json`;
    const own = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const jwk = own.publicKey.export({ format: 'jwk' });
    const additions = [
      { jwk },
      { jwks: { keys: [jwk] } },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { x5t: 'abc' },
      { 'x5t#S256': 'abc' },
    ];
    for (const addition of additions) {
      await expectRefused(signEs256({ ...header, ...addition }, payload, own.privateKey));
      await expectRefused(signed({ header: addition }));
    }
    expect(calls).toBe(0);
    await new Promise((resolve) => canary.close(resolve));
  });

  it('(9, 25) are refused for any kid that is not ours, without asking Redis', async () => {
    const redis = api.app.get(RedisCluster);
    const asked = [jest.spyOn(redis, 'run'), jest.spyOn(redis, 'runDurably')];
    const kids: unknown[] = [
      ...['../../etc/passwd', "' OR 1=1 --", 'a\r\nb', '*', '__proto__', 'constructor', ''],
      ...[{}, { toString: header['kid'] }, null, [header['kid']], 1, 'k'.repeat(4000)],
      ...Array.from({ length: 1000 }, () => randomUUID()),
    ];
    for (const kid of kids) {
      const forged = signed({ header: { kid } });
      const answer = await api.ownUser(forged);
      expect(answer.status).toBe(401);
    }
    await expectRefused(signedWithout('header', 'kid'));

    asked.forEach((spy) => {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    });
  });

  it('(10) are refused with any crit, and with b64', async () => {
    for (const crit of [['exp'], ['b64'], ['x'], [], 'exp', null, {}]) {
      await expectRefused(signed({ header: { crit } }));
    }
    await expectRefused(signed({ header: { crit: ['b64'], b64: true } }));
    await expectRefused(signed({ header: { b64: false } }));
    const twice = JSON.stringify(header).replace('{', '{"crit":["x"],"crit":["exp"],');
    await expectRefused(signEs256(twice, payload, key));
  });

  it('(11) are refused with another type', async () => {
    const types = [
      'JWT',
      'jwt',
      'rt+jwt',
      'dpop+jwt',
      'logout+jwt',
      'id_token',
      'at+jwt ',
      '',
      null,
    ];
    for (const typ of types) {
      await expectRefused(signed({ header: { typ } }));
    }
    await expectRefused(signedWithout('header', 'typ'));
    for (const typ of ['AT+JWT', 'application/at+jwt', 'Application/AT+jwt']) {
      expect((await api.ownUser(signed({ header: { typ } }))).status).toBe(200);
    }
  });

  it('(12) are refused unless iss is ours to the byte', async () => {
    const iss = String(payload['iss']);
    const variants = [
      ...[[iss], [iss, 'https://evil.test'], `${iss}/`, iss.toUpperCase(), `${iss}\n`, ` ${iss}`],
      ...[`${iss}.evil.test`, iss.slice(0, -1), '', null, {}, 1],
    ];
    for (const variant of variants) {
      await expectRefused(signed({ payload: { iss: variant } }));
    }
    await expectRefused(signedWithout('payload', 'iss'));
  });

  it('(13) are refused unless aud is us, or one of a list', async () => {
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

  it('(14) are refused outside their time, and when the times are no numbers', async () => {
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
          continue; // a time long ago
        }
        await expectRefused(signed({ payload: { [member]: value } }));
      }
    }
    await expectRefused(signedWithout('payload', 'exp'));
    await expectRefused(signedWithout('payload', 'iat'));
    expect((await api.ownUser(signed({ payload: { nbf: now } }))).status).toBe(200);
  });

  it('(15) are refused unless header and payload are each one JSON object in UTF-8', async () => {
    const json = JSON.stringify(payload);
    const notObjects = [
      ...['[]', '"text"', '1', 'null', 'true', '', `${json}${json}`, `[${json}]`, `${json} `],
      ...[Buffer.from(json, 'utf16le'), Buffer.from([0xef, 0xbb, 0xbf, ...Buffer.from(json)])],
      Buffer.from(json.replace('keyslot', 'keysl\xf6t'), 'latin1'),
      json.replace('{', '{"sub":"somebody else",'),
    ];
    for (const part of notObjects) {
      await expectRefused(signEs256(header, part, key));
    }
    const headerJson = JSON.stringify(header);
    for (const part of ['[]', 'null', '1', `${headerJson}${headerJson}`, `[${headerJson}]`]) {
      await expectRefused(signEs256(part, payload, key));
    }
  });

  it('(16) are refused in any other spelling of the same token', async () => {
    const [h, p, s = ''] = token.split('.') as [string, string, string];
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(s.at(-1)!);
    // 64 bytes leave four bits of the last character unused: 15 other characters decode to the same bytes.
    const twins = Array.from(
      { length: 15 },
      (_, index) => alphabet[(last & 48) | ((last + index + 1) & 15)],
    );
    for (const twin of twins) {
      await expectRefused(`${h}.${p}.${s.slice(0, -1)}${twin}`);
    }
    for (const spelling of [
      `${token}.`,
      `.${token}`,
      `${token}..`,
      `${h}..${s}`,
      `${token}.${s}`,
    ]) {
      await expectRefused(spelling);
    }
    for (const sent of [
      `${h}.${p}.${s}==`,
      `${h}=.${p}.${s}`,
      `${h} .${p}.${s}`,
      `${h}.${p}+.${s}`,
    ]) {
      expect((await api.ownUser(sent)).status).toBe(401);
    }
  });

  it('(17) come behind Bearer and one space, alone', async () => {
    const send = async (value: string): Promise<number> =>
      (await api.request('GET', '/api/user', { headers: { authorization: value } })).status;
    const wrong = [
      ...[token, `Bearer${token}`, `Bearer  ${token}`, `Bearer\t${token}`, `Bearer ${token} more`],
      ...[`Bearer ${token}, Bearer ${token}`, `Bearer ${token},`, `Basic ${token}`, `JWT ${token}`],
      ...['Bearer', 'Bearer ', `Bearer "${token}"`, `Token Bearer ${token}`],
    ];
    for (const value of wrong) {
      expect({ value, status: await send(value) }).toEqual({ value, status: 401 });
    }
    for (const scheme of ['bearer', 'BEARER', 'bEaReR']) {
      expect(await send(`${scheme} ${token}`)).toBe(200);
    }
    const twice = await rawHttp(
      api.url,
      `GET /api/user HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n` +
        `Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(twice)).toBe(401);
  });

  it('(18) are accepted nowhere else: not in query, body or cookie, not as JWE or JSON', async () => {
    const attempts = [
      api.request('GET', `/api/user?access_token=${token}&token=${token}`),
      api.request('PATCH', '/api/user', { body: { access_token: token } }),
      api.request('GET', '/api/user', {
        headers: { cookie: `access_token=${token}; token=${token}; jwt=${token}` },
      }),
    ];
    for (const answer of await Promise.all(attempts)) {
      expect(answer.status).toBe(401);
    }
    const [h, p, s] = token.split('.');
    await expectRefused(`${h}.${p}.${s}.${p}.${s}`);
    const asJson = b64({ payload: p, signatures: [{ protected: h, signature: s }] });
    await expectRefused(asJson);
    expect(
      (await api.ownUser(JSON.stringify({ payload: p, protected: h, signature: s }))).status,
    ).toBe(401);
  });

  it('(19) get a challenge that does not say which check failed', async () => {
    const missing = await api.request('GET', '/api/user');
    expect(missing.status).toBe(401);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="keyslot"');

    const now = Math.floor(Date.now() / 1000);
    const forgeries = [
      'rubbish',
      signed({ payload: { iat: now - 901, exp: now - 1 } }),
      signed({ payload: { aud: 'x' } }),
      signed({ payload: { sid: randomUUID() } }),
      `${token.slice(0, -8)}AAAAAAAA`,
    ];
    const bodies = new Set<string>();
    for (const forged of forgeries) {
      const answer = await api.ownUser(forged);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="keyslot", error="invalid_token"',
      );
      bodies.add(JSON.stringify({ ...answer.body, requestId: '' }));
    }
    expect(bodies.size).toBe(1);
  });

  it('(20) are looked up by all their bytes, and each look-up asks whether the session lives', async () => {
    const other = await api.newUser();
    const alive = other.tokens.access_token;
    const twin = signatureTwin(alive);
    expect((await api.ownUser(alive)).body).toMatchObject({ username: other.username });
    // Another spelling of the signature that does verify is the same token: it lives and dies with the session.
    expect((await api.ownUser(twin)).status).toBe(200);
    const [h, , s] = alive.split('.');
    await expectRefused(`${h}.${token.split('.')[1]}.${s}`);

    expect((await api.request('POST', '/api/logout', { token: alive })).status).toBe(204);

    await expectRefused(alive);
    await expectRefused(twin);
    expect((await api.request('POST', '/api/logout', { token: alive })).status).toBe(401);
  });
});
