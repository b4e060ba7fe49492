import { SoftwarePasskey } from '../../../../test/support/software-passkey.js';
import { WEBAUTHN_VECTORS } from '../../../../test/support/webauthn-vectors.js';
import { Secret } from '../../../common/secret/index.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { CEREMONY_MS, PasskeyFactor } from './passkey.factor.js';

type Vector = keyof typeof WEBAUTHN_VECTORS;

const NOW = 1_800_000_000_000;
const ORIGIN = 'https://example.org';
const factor = new PasskeyFactor({ id: 'example.org', origin: ORIGIN }, 'Keyslot');

const base64url = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
const credential = (vector: Vector, parts: Readonly<Record<string, string>>): object => {
  const id = base64url(WEBAUTHN_VECTORS[vector].credentialId);
  const response = Object.fromEntries(
    Object.entries(parts).map(([name, hex]) => [name, base64url(hex)]),
  );
  return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
};
const enrolment = (challenge: string): string =>
  JSON.stringify({ challenge, until: NOW + CEREMONY_MS });
const confirmed = async (vector: Vector): Promise<string | undefined> => {
  const { challenge, ...parts } = WEBAUTHN_VECTORS[vector].enrolment;
  return factor.confirm(enrolment(base64url(challenge)), credential(vector, parts), NOW);
};
const checked = async (
  vector: Vector,
  state: string,
  alter: (parts: Record<string, string>) => Record<string, string> = (parts) => parts,
): Promise<string | undefined> => {
  const { challenge, ...parts } = WEBAUTHN_VECTORS[vector].login;
  const context = { nowMs: NOW, challenge: base64url(challenge) };
  return factor.check(state, credential(vector, alter(parts)), context);
};

describe('a passkey of the test vectors of WebAuthn level 3', () => {
  it('is enrolled and logs in, once', async () => {
    const state = await confirmed('packed-es256');
    const next = await checked('packed-es256', state!);

    expect(next).toBeDefined();
    expect(await checked('packed-es256', next!)).toBeUndefined();
  });

  it.each(['signature', 'authenticatorData', 'clientDataJSON'] as const)(
    'does not log in with a changed %s',
    async (part) => {
      const state = await confirmed('packed-es256');
      const alter = (parts: Record<string, string>) => {
        const hex = parts[part]!;
        return { ...parts, [part]: hex.slice(0, -2) + (hex.endsWith('00') ? '01' : '00') };
      };

      expect(await checked('packed-es256', state!, alter)).toBeUndefined();
    },
  );

  it('is refused unless the authenticator has verified the user', async () => {
    expect(await confirmed('none-es256')).toBeUndefined();
    // This one has verified the user at the enrolment, and not at the login.
    const state = await confirmed('packed-self-es256');
    expect(state).toBeDefined();
    expect(await checked('packed-self-es256', state!)).toBeUndefined();
  });

  it('is refused on a page that another origin embeds', async () => {
    expect(await confirmed('none-es256-crossOrigin')).toBeUndefined();
    const { enrolment: given } = WEBAUTHN_VECTORS['none-es256-crossOrigin'];
    const crossOrigin = Buffer.from(given.clientDataJSON, 'hex').toString();
    expect(JSON.parse(crossOrigin)).toMatchObject({ crossOrigin: true });
  });
});

describe('a passkey', () => {
  const enrolled = async (): Promise<[SoftwarePasskey, string]> => {
    const passkey = new SoftwarePasskey(ORIGIN);
    const state = await factor.confirm(enrolment('abcd'), passkey.created('abcd'), NOW);
    return [passkey, state!];
  };

  it('is enrolled within five minutes', async () => {
    const passkey = new SoftwarePasskey(ORIGIN);
    const confirm = async (nowMs: number): Promise<string | undefined> =>
      factor.confirm(enrolment('abcd'), passkey.created('abcd'), nowMs);

    expect(await confirm(NOW + CEREMONY_MS)).toBeDefined();
    expect(await confirm(NOW + CEREMONY_MS + 1)).toBeUndefined();
  });

  it('remembers 100 challenges, and refuses further ones until it may forget them', async () => {
    const [passkey, first] = await enrolled();
    let state = first;
    const use = async (challenge: string, nowMs = NOW): Promise<string | undefined> =>
      factor.check(state, passkey.presented(challenge), { nowMs, challenge });
    for (let count = 100; count < 200; count += 1) {
      state = (await use(`c${count}`))!;
      expect(state).toBeDefined();
    }

    expect(await use('more')).toBeUndefined();
    const later = NOW + 2 * CEREMONY_MS;
    const next = await use('more', later);
    expect(next).toBeDefined();
    expect(next!.length).toBeLessThan(state.length / 10);
  });

  it('remembers a challenge longer than any instance accepts it', async () => {
    const challenges = new PasskeyChallenges(new Secret('a secret of more than 32 characters'));
    const challenge = challenges.issue(NOW);
    const isCurrent = (afterMs: number): boolean => challenges.isCurrent(challenge, NOW + afterMs);

    expect([-10_001, -10_000, 0, CEREMONY_MS, CEREMONY_MS + 1].map(isCurrent)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    const [passkey, first] = await enrolled();
    const early = NOW - 10_000;
    const used = await factor.check(first, passkey.presented(challenge), {
      nowMs: early,
      challenge,
    });
    const again = await factor.check(used!, passkey.presented('other'), {
      nowMs: NOW + CEREMONY_MS,
      challenge: 'other',
    });
    const context = { nowMs: NOW + CEREMONY_MS, challenge };
    expect(await factor.check(again!, passkey.presented(challenge), context)).toBeUndefined();
  });
});
