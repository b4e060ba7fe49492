import { jest } from '@jest/globals';
import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';

import { RedisCluster } from '../../src/redis-cluster/index.js';
import { b64, signEs256, signHmac } from '../support/forge.js';
import { OWN_WORK } from '../support/redis-traffic.js';
import { startWithVictim, type Victim } from '../support/victim.js';

/** What the instance does by itself while no user changes. */
const BACKGROUND = new Set([...OWN_WORK, 'find-changes']);

/** The form of an access token: requirements 4 to 11, 15 and 16. */
describe('access tokens', () => {
  let victim: Victim;
  let api: Victim['api'];
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
    ({ api, token, header, payload, key, signed, signedWithout, publishedKey, expectRefused } =
      victim);
  });
  afterAll(async () => victim.api.close());
  afterEach(async () => victim.expectStillAccepted());

  it('(4) are refused with alg none, in every spelling and JSON type', async () => {
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

  it('(5) are refused with every HMAC algorithm and any secret', async () => {
    const jwk = await publishedKey();
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const secrets = [
      pem,
      pem.replaceAll('\n', '\r\n'),
      pem.trim(),
      `\n${pem}`,
      pem.replaceAll('\n', ''),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      JSON.stringify({ keys: [jwk] }),
      jwk.x!,
      jwk.y!,
      Buffer.from(jwk.x!, 'base64url'),
      Buffer.from(jwk.y!, 'base64url'),
      String(header['kid']),
      '',
      'secret',
      'keyslot',
      'your-256-bit-secret',
      'undefined',
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

  it('(6) are refused when the algorithm of the header does not match the key', async () => {
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
    // The signature is cached, but the signed content differs.
    for (const changed of [{ sub: other.id }, { exp: Number(payload['exp']) + 1 }]) {
      await expectRefused(`${h}.${b64({ ...payload, ...changed })}.${s}`);
    }
    await expectRefused(`x${token}`);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    await expectRefused(signEs256(header, payload, stranger));
    // The signature is valid, but in DER form instead of the JWS form.
    const der = sign('sha256', Buffer.from(`${h}.${p}`), key);
    await expectRefused(`${h}.${p}.${der.toString('base64url')}`);
  });

  it('(8) are refused when they contain or reference a key, and no reference is fetched', async () => {
    let calls = 0;
    const canary = createServer((_, response) => {
      calls += 1;
      response.end('{}');
    });
    // unref(), so that a failing test does not keep the process alive.
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

  it('(9, 25) are refused with an unknown kid, without a call to Redis', async () => {
    const redis = api.app.get(RedisCluster);
    const asked = [jest.spyOn(redis, 'run'), jest.spyOn(redis, 'runDurably')];
    const kids: unknown[] = [
      '../../etc/passwd',
      "' OR 1=1 --",
      'a\r\nb',
      '*',
      '__proto__',
      'constructor',
      '',
      {},
      { toString: header['kid'] },
      null,
      [header['kid']],
      1,
      'k'.repeat(4000),
      ...Array.from({ length: 1000 }, () => randomUUID()),
    ];
    for (const kid of kids) {
      const forged = signed({ header: { kid } });
      const answer = await api.ownUser(forged);
      expect(answer.status).toBe(401);
    }
    await expectRefused(signedWithout('header', 'kid'));

    for (const spy of asked) {
      const names = spy.mock.calls.map(([script]) => script.name);
      expect(names.filter((name) => !BACKGROUND.has(basename(name, '.lua')))).toEqual([]);
      spy.mockRestore();
    }
  });

  it('(10) are refused with crit or b64', async () => {
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

  it('(15) are refused unless header and payload are JSON objects in UTF-8', async () => {
    const json = JSON.stringify(payload);
    const notObjects = [
      '[]',
      '"text"',
      '1',
      'null',
      'true',
      '',
      `${json}${json}`,
      `[${json}]`,
      `${json} `,
      Buffer.from(json, 'utf16le'),
      Buffer.from([0xef, 0xbb, 0xbf, ...Buffer.from(json)]),
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

  it('(16) are refused in any other encoding of the same token', async () => {
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
});
