import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { accountName, audienceList } from './account-rules.js';
import { algorithmsOf, publicKeySet, publicKeysOf, type ClientKeySet } from './write/index.js';

const jwkOf = (key: KeyObject): Record<string, unknown> => ({ ...key.export({ format: 'jwk' }) });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent });
const setOf = (...keys: unknown[]): unknown => ({ keys });

describe('the name of a service account', () => {
  it.each(['a', 'order reports', '报表', 'x'.repeat(100)])('can be %j', (name) => {
    expect(accountName(name)).toBeUndefined();
  });

  it.each([
    [undefined, 'missing'],
    [null, 'not-a-string'],
    ['', 'too-short'],
    ['  ', 'too-short'],
    ['x'.repeat(101), 'too-long'],
    ['a\nb', 'control-characters'],
  ])('cannot be %j', (name, code) => {
    expect(accountName(name)?.code).toBe(code);
  });
});

describe('the audiences of a service account', () => {
  it.each([[['keyslot']], [['https://api.example.org/orders', 'urn:a:b']], [['x'.repeat(200)]]])(
    'can be %j',
    (audiences) => {
      expect(audienceList(audiences)).toBeUndefined();
    },
  );

  it.each([
    [null, 'not-a-list'],
    ['keyslot', 'not-a-list'],
    [[], 'empty-list'],
    [Array.from({ length: 21 }, (_, index) => `a${index}`), 'too-many-items'],
    [[1], 'audience-characters'],
    [[''], 'audience-characters'],
    [['a b'], 'audience-characters'],
    [['a,b'], 'audience-characters'],
    [['a"b'], 'audience-characters'],
    [['a\\b'], 'audience-characters'],
    [['é'], 'audience-characters'],
    [['x'.repeat(201)], 'audience-characters'],
  ])('cannot be %j', (audiences, code) => {
    expect(audienceList(audiences)?.code).toBe(code);
  });
});

describe('the public keys of a service account', () => {
  const ed = generateKeyPairSync('ed25519');
  it.each([
    ['EC P-256', jwkOf(ec.publicKey), ['ES256']],
    ['Ed25519', jwkOf(ed.publicKey), ['EdDSA', 'Ed25519']],
    ['RSA with 2048 bits', jwkOf(rsa(2048).publicKey), ['PS256', 'RS256']],
  ])('can be %s, and their algorithms are theirs', (_, jwk, algorithms) => {
    expect(publicKeySet(setOf(jwk, { ...jwk, kid: 'a', use: 'sig', alg: algorithms[0] }))).toBe(
      undefined,
    );
    const { keys } = publicKeysOf(setOf({ ...jwk, x5c: ['…'], ext: true }) as ClientKeySet);
    expect(keys).toEqual([jwk]);
    expect(algorithmsOf(keys[0]!)).toEqual(algorithms);
    expect(algorithmsOf({ ...keys[0]!, alg: algorithms.at(-1)! })).toEqual([algorithms.at(-1)]);
  });

  it.each([
    ['EC', jwkOf(ec.privateKey)],
    ['RSA', jwkOf(rsa(2048).privateKey)],
    ['Ed25519', jwkOf(ed.privateKey)],
    ['symmetric', { kty: 'oct', k: 'AAAA' }],
    ['a single private member', { ...jwkOf(ec.publicKey), d: null }],
  ])('cannot be private or symmetric: %s', (_, jwk) => {
    expect(publicKeySet(setOf(jwkOf(ec.publicKey), jwk))).toEqual({
      code: 'private-key',
      params: { index: 1 },
    });
  });

  const { x, y } = jwkOf(ec.publicKey);
  it.each([
    ['RSA with 1024 bits', jwkOf(rsa(1024).publicKey)],
    ['RSA with the exponent 3', jwkOf(rsa(2048, 3).publicKey)],
    ['another curve', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)],
    ['a point that is not on the curve', { kty: 'EC', crv: 'P-256', x, y: x }],
    ['no point', { kty: 'EC', crv: 'P-256' }],
    ['a key for encryption', { kty: 'EC', crv: 'P-256', x, y, use: 'enc' }],
    ['another algorithm', { kty: 'EC', crv: 'P-256', x, y, alg: 'HS256' }],
    ['no algorithm', { kty: 'EC', crv: 'P-256', x, y, alg: 'none' }],
    ['X25519', jwkOf(generateKeyPairSync('x25519').publicKey)],
    ['a long id', { kty: 'EC', crv: 'P-256', x, y, kid: 'x'.repeat(201) }],
    ['an id that is no text', { kty: 'EC', crv: 'P-256', x, y, kid: 7 }],
    ['an inherited name as curve', { kty: 'EC', crv: '__proto__', x, y }],
    ['a text', 'key'],
    ['null', null],
  ])('cannot be %s', (_, jwk) => {
    expect(publicKeySet(setOf(jwk))).toEqual({ code: 'not-a-public-key', params: { index: 0 } });
  });

  it.each([[null], ['{}'], [[]], [{}], [{ keys: {} }]])('cannot be %j', (value) => {
    expect(publicKeySet(value)?.code).toBe('not-a-key-set');
  });

  it('are at most five', () => {
    const jwk = jwkOf(ec.publicKey);
    expect(publicKeySet(setOf(...Array<unknown>(5).fill(jwk)))).toBeUndefined();
    expect(publicKeySet(setOf(...Array<unknown>(6).fill(jwk)))?.code).toBe('too-many-items');
    expect(publicKeySet(setOf())).toBeUndefined();
  });
});
