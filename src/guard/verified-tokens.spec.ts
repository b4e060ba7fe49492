import { credentialsOf } from './bearer-token.js';
import { VerifiedTokens, type VerifiedToken } from './verified-tokens.js';

const SIGNATURE_CHARACTERS = 86;
const MAX_TOKENS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** @returns credentials with a signature that ends in this text */
function credentialsWith(content: string, end: string): string {
  const length = SIGNATURE_CHARACTERS - end.length;
  const signature = content.slice(0, length).padEnd(length, '-') + end;
  return credentialsOf(`header.${content}.${signature}`);
}

/** With the same last eight characters, which make up the number by which a token is found. */
const sameNumber = (content: string): string => credentialsWith(content, 'ABCDEFGH');

const verifiedToken = (credentials: string): VerifiedToken =>
  ({ credentials, kid: 'a key', claims: {} }) as VerifiedToken;

function tokensWith(...added: readonly string[]): VerifiedTokens {
  const tokens = new VerifiedTokens();
  added.forEach((credentials) => tokens.add(verifiedToken(credentials)));
  return tokens;
}

describe('the verified tokens', () => {
  const found = (tokens: VerifiedTokens, credentials: readonly string[]): string[] =>
    credentials.filter((one) => tokens.get(one)?.credentials === one);

  it('contain a token that was added', () => {
    const token = verifiedToken(sameNumber('one'));
    const tokens = new VerifiedTokens();
    expect(tokens.get(token.credentials)).toBeUndefined();

    tokens.add(token);

    expect(tokens.get(sameNumber('one'))).toBe(token);
  });

  it('do not contain another token whose signature ends in the same characters', () => {
    expect(tokensWith(sameNumber('one')).get(sameNumber('two'))).toBeUndefined();
    expect(
      tokensWith(sameNumber('one'), sameNumber('two')).get(sameNumber('three')),
    ).toBeUndefined();
  });

  it.each([
    ['claims', (token: string) => token.replace('header.one', 'header.two')],
    ['header', (token: string) => token.replace('header', 'HEADER')],
    ['scheme', (token: string) => token.replace('Bearer', 'bearer')],
    ['length', (token: string) => token.replace('Bearer ', 'Bearer  ')],
  ])('do not contain a token with the same signature and another %s', (_, alter) => {
    const token = sameNumber('one');

    expect(tokensWith(token).get(alter(token))).toBeUndefined();
  });

  it('do not contain text that is too short for a token', () => {
    const tokens = tokensWith(sameNumber('one'));

    expect(['', 'Bearer ', 'ABCDEFGH'].map((text) => tokens.get(text))).toEqual(
      Array.from({ length: 3 }),
    );
  });

  it('contain two tokens whose signatures end in the same characters', () => {
    const both = [sameNumber('one'), sameNumber('two')];

    expect(found(tokensWith(...both), both)).toEqual(both);
  });

  it('contain the first and the last of three tokens whose signatures end in the same characters', () => {
    const three = ['one', 'two', 'three'].map(sameNumber);

    expect(found(tokensWith(...three), three)).toEqual([three[0], three[2]]);
  });

  it.each([
    ['a token', ['one']],
    ['the first of two with the same number', ['one', 'two', 'one']],
    ['the second of two with the same number', ['one', 'two', 'two']],
  ])('contain %s once if it is added again', (_, contents) => {
    const added = contents.map(sameNumber);
    const tokens = tokensWith(...new Set(added));
    const { bytes } = tokens;

    const again = verifiedToken(added.at(-1)!);
    tokens.add(again);

    expect(tokens.bytes).toBe(bytes);
    expect(tokens.get(again.credentials)).toBe(again);
    expect(found(tokens, added)).toEqual(added);
  });

  it.each([
    ['tokens', 0, MAX_TOKENS],
    ['bytes', 8000, Math.floor(MAX_BYTES / (8000 + 1024))],
  ])('keep the last ones at their maximum number of %s', (_, padding, atMost) => {
    const tokens = new VerifiedTokens();
    const added = Array.from({ length: atMost + 1000 }, (__, index) =>
      credentialsWith('x'.repeat(padding), String(index).padStart(8, '0')),
    );
    added.forEach((credentials) => tokens.add(verifiedToken(credentials)));

    const kept = found(tokens, added);

    expect(tokens.bytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(kept.length).toBeLessThanOrEqual(atMost);
    // A few are replaced by others with the same number, and a token is longer than its padding.
    expect(kept.length).toBeGreaterThan(0.95 * atMost);
    expect(kept.at(-1)).toBe(added.at(-1));
    expect(kept).not.toContain(added[0]);
  });
});
