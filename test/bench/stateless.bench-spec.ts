import { jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import crypto, { generateKeyPairSync } from 'node:crypto';

import { Caller } from './caller.js';

const TOKENS = 20;
const USER = {
  id: '1',
  username: 'ada',
  email: null,
  emailVerified: false,
  displayName: null,
  roles: [],
  createdAt: '2026-01-02T03:04:05.000Z',
  updatedAt: '2026-01-02T03:04:05.000Z',
};
const { privateKey, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

describe('the stateless peers', () => {
  const caller = new Caller();
  const verifications = {
    HS256: jest.spyOn(crypto, 'createHmac'),
    ES256: jest.spyOn(crypto, 'createVerify'),
  };
  let peer: typeof import('./peers/stateless.js');
  let app: FastifyInstance | undefined;
  beforeAll(async () => {
    // When it is loaded, it takes the functions of node:crypto: here those that count.
    peer = await import('./peers/stateless.js');
  });
  afterEach(async () => {
    caller.close();
    await app?.close();
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  it.each([
    ['HS256', 'a secret of more than thirty-two bytes'],
    ['ES256', { private: privateKey, public: publicKey }],
  ] as const)('verify each token with %s once', async (algorithm, secret) => {
    app = await peer.createStateless(secret);
    const headers = await peer.signTokens(app, TOKENS, USER);
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    verifications[algorithm].mockClear();

    for (const header of [...headers, ...headers, ...headers]) {
      const { body } = await caller.call(url, { method: 'GET', path: '/api/user', header });
      expect(JSON.parse(body)).toEqual(USER);
    }

    expect(headers[0]).toMatch(new RegExp(`^Authorization: Bearer ${headerOf(algorithm)}\\.`));
    expect(verifications[algorithm]).toHaveBeenCalledTimes(TOKENS);
  });
});

const headerOf = (alg: string): string =>
  Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
