import { randomUUID } from 'node:crypto';

import { Secret } from '../common/secret/index.js';
import { RefreshTokens } from './refresh-tokens.js';

describe('refresh tokens', () => {
  const tokens = new RefreshTokens({ tokenSecret: new Secret('s'.repeat(32)) });
  const [userId, sessionId] = [randomUUID(), randomUUID()];
  const token = tokens.issue(userId, sessionId).reveal();

  it('are recognized, with the ids that lead to their session', () => {
    expect(tokens.recognize(token)).toMatchObject({ userId, sessionId });
  });

  it('contain 256 random bits after the ids: 10,000 of them contain no secret twice (29)', () => {
    const secrets = Array.from(
      { length: 10_000 },
      () => tokens.issue(userId, sessionId).reveal().split('.')[2]!,
    );

    expect(new Set(secrets).size).toBe(10_000);
    expect(secrets.every((secret) => Buffer.from(secret, 'base64url').length === 32)).toBe(true);
  });

  it.each([
    ['another secret', () => token.replace(/\.[\w-]{43}\./, `.${'A'.repeat(43)}.`)],
    ['another session', () => token.replace(sessionId, randomUUID())],
    ['another user', () => token.replace(userId, randomUUID())],
    ['another tag', () => `${token.slice(0, -22)}${'A'.repeat(22)}`],
    ['no tag', () => token.slice(0, -23)],
    ['a line break', () => `${token}\n`],
    ['nothing', () => ''],
    [
      'the key of another cluster',
      () =>
        new RefreshTokens({ tokenSecret: new Secret('t'.repeat(32)) })
          .issue(userId, sessionId)
          .reveal(),
    ],
  ])('are not recognized with %s', (_, forge) => {
    expect(tokens.recognize(forge())).toBeUndefined();
  });
});
