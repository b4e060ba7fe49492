import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';

import { sha256 } from '../../../common/digest/index.js';
import type { ProofContext, SecondFactor } from '../second-factor.js';

export const PASSKEY = 'passkey';

/** How long a user may take. */
export const CEREMONY_MS = 5 * 60_000;
/** How long a used challenge is remembered: longer than any instance accepts it, although their clocks differ a little. */
const USED_MS = 2 * CEREMONY_MS;
/** Further logins within `USED_MS` are refused, because to forget a challenge would allow its second use. */
const MAX_USED = 100;

export interface RelyingParty {
  /** The domain of the passkeys (WebAuthn section 5.1.2): the host name of the public URL. */
  readonly id: string;
  /** The origin of the pages that use them. */
  readonly origin: string;
}

/** The state of an enrolment that is not confirmed. */
interface EnrolmentState {
  readonly challenge: string;
  readonly until: number;
}

interface PasskeyState {
  readonly credentialId: string;
  /** COSE key, in base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  /** Digests of the challenges of the last logins, and until when each one is remembered. */
  readonly used: Readonly<Record<string, number>>;
}

/**
 * Passkeys (WebAuthn level 3). The authenticator must verify the user, so a passkey alone is enough for a login. Attestation is not
 * asked for: any authenticator is accepted. A challenge counts once for each passkey.
 */
export class PasskeyFactor implements SecondFactor {
  readonly type = PASSKEY;
  readonly methods = ['pop', 'user'] as const;
  readonly isGuessable = false;

  constructor(
    private readonly relyingParty: RelyingParty,
    private readonly serviceName: string,
  ) {}

  /**
   * Begins an enrolment.
   *
   * @param states of the user's confirmed passkeys, which the authenticator must not replace
   */
  async enrol(
    user: { readonly id: string; readonly username: string; readonly displayName: string | null },
    states: readonly string[],
    nowMs: number,
  ): Promise<{ readonly state: string; readonly options: PublicKeyCredentialCreationOptionsJSON }> {
    const { generateRegistrationOptions } = await webAuthn();
    const options = await generateRegistrationOptions({
      rpName: this.serviceName,
      rpID: this.relyingParty.id,
      userName: user.username,
      userID: new TextEncoder().encode(user.id),
      userDisplayName: user.displayName ?? user.username,
      timeout: CEREMONY_MS,
      attestationType: 'none',
      excludeCredentials: states.map(descriptorOf),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    const state: EnrolmentState = { challenge: options.challenge, until: nowMs + CEREMONY_MS };
    return { state: JSON.stringify(state), options };
  }

  /** @returns the state of the new passkey; undefined when the response is not the one to this enrolment */
  async confirm(text: string, response: unknown, nowMs: number): Promise<string | undefined> {
    const { challenge, until } = JSON.parse(text) as EnrolmentState;
    if (nowMs > until) {
      return undefined;
    }
    const { verifyRegistrationResponse } = await webAuthn();
    try {
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: response as RegistrationResponseJSON,
        expectedChallenge: challenge,
        expectedOrigin: this.relyingParty.origin,
        expectedRPID: this.relyingParty.id,
        requireUserVerification: true,
      });
      if (!verified || (await isCrossOrigin(response as RegistrationResponseJSON))) {
        return undefined;
      }
      const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
      const state: PasskeyState = {
        credentialId: id,
        publicKey: Buffer.from(publicKey).toString('base64url'),
        counter,
        transports,
        used: {},
      };
      return JSON.stringify(state);
    } catch {
      // The library throws for a response of another form. It says nothing that helps the client.
      return undefined;
    }
  }

  /** @param states of the user's passkeys. Empty for a login in which the authenticator names the user */
  async request(
    challenge: string,
    states: readonly string[],
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await webAuthn();
    return generateAuthenticationOptions({
      rpID: this.relyingParty.id,
      challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
      timeout: CEREMONY_MS,
      userVerification: 'required',
      allowCredentials: states.map(descriptorOf),
    });
  }

  async check(
    text: string,
    proof: unknown,
    { nowMs, challenge }: ProofContext,
  ): Promise<string | undefined> {
    const state = JSON.parse(text) as PasskeyState;
    const response = proof as AuthenticationResponseJSON | null;
    const used = Object.entries(state.used).filter(([, until]) => until > nowMs);
    if (
      challenge === undefined ||
      response?.id !== state.credentialId ||
      sha256(challenge) in state.used ||
      used.length >= MAX_USED
    ) {
      return undefined;
    }
    const { verifyAuthenticationResponse } = await webAuthn();
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response,
        expectedChallenge: challenge,
        expectedOrigin: this.relyingParty.origin,
        expectedRPID: this.relyingParty.id,
        requireUserVerification: true,
        credential: {
          id: state.credentialId,
          publicKey: new Uint8Array(Buffer.from(state.publicKey, 'base64url')),
          counter: state.counter,
        },
      });
      const next: PasskeyState = {
        ...state,
        counter: authenticationInfo.newCounter,
        used: Object.fromEntries([...used, [sha256(challenge), nowMs + USED_MS]]),
      };
      return verified && !(await isCrossOrigin(response)) ? JSON.stringify(next) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Loads the library at its first use, because its 240 files take an eighth of a start. */
const webAuthn = () => import('@simplewebauthn/server');

/** Whether a page of another origin embedded the one that used the passkey. No page of this service may be embedded. */
async function isCrossOrigin({
  response,
}: RegistrationResponseJSON | AuthenticationResponseJSON): Promise<boolean> {
  const { decodeClientDataJSON } = await import('@simplewebauthn/server/helpers');
  return decodeClientDataJSON(response.clientDataJSON).crossOrigin === true;
}

function descriptorOf(text: string): { id: string; transports: string[] } {
  const { credentialId, transports } = JSON.parse(text) as PasskeyState;
  return { id: credentialId, transports: [...transports] };
}
