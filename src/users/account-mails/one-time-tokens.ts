import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';

import type { Deadline } from '../../common/deadline/index.js';
import { sha256 } from '../../common/digest/index.js';
import { Secret } from '../../common/secret/index.js';
import { OneTimeTokenStore } from '../../user-slot/write/index.js';

const SECRET_BYTES = 32;
const FORM = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.[\w-]{43}$/;
const MINUTE_MS = 60_000;
/** Timeout of optional work. */
const BEST_EFFORT_TIMEOUT_MS = 300;

/** A token is valid only while the user is in the state that its binding describes. The change for which it is valid ends that state. */
export interface TokenBindings {
  'password-reset': PasswordBinding;
  /** The first password of a user whom an administrator has created. */
  invitation: PasswordBinding;
  'email-verification': {
    /** The address that the token confirms. */
    readonly address: string;
    /** The address of the user. If it is another one, the token changes it. */
    readonly currentEmail: string | null;
    /** The session that stays live when the address changes. */
    readonly sessionId?: string;
    /**
     * For a change: the version of the password when it was requested. Otherwise an attacker who has requested a change could still
     * confirm it after the user has set a new password.
     */
    readonly passwordVersion?: number;
  };
}

interface PasswordBinding {
  /** The address to which the token was sent. */
  readonly address: string;
  readonly passwordVersion: number;
}

export type OneTimeTokenKind = keyof TokenBindings;

/**
 * A mail can take some minutes, so a password reset has 15 minutes and not the ten of OWASP ASVS 6.5.5. An invitation waits for a
 * person who does not expect it.
 */
export const LIFETIME_MS: Readonly<Record<OneTimeTokenKind, number>> = {
  'password-reset': 15 * MINUTE_MS,
  invitation: 24 * 60 * MINUTE_MS,
  'email-verification': 24 * 60 * MINUTE_MS,
};

export interface IssuedOneTimeToken {
  readonly token: Secret;
  readonly validMinutes: number;
}

export interface FoundOneTimeToken<Kind extends OneTimeTokenKind> {
  readonly userId: string;
  readonly kind: Kind;
  readonly binding: TokenBindings[Kind];
  readonly hash: string;
}

/** One-time tokens in links: `<user id>.<256 random bits>`. The id says in which slot the digest of the token is stored. */
@Injectable()
export class OneTimeTokens {
  constructor(private readonly store: OneTimeTokenStore) {}

  /** Issues a token. It replaces those of its kind with another binding. @throws NotConfirmedError */
  async issue<Kind extends OneTimeTokenKind>(
    userId: string,
    kind: Kind,
    binding: TokenBindings[Kind],
    deadline: Deadline,
  ): Promise<IssuedOneTimeToken> {
    const token = `${userId}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const lifetimeMs = LIFETIME_MS[kind];
    await this.store.put(userId, kind, sha256(token), binding, lifetimeMs, deadline);
    return { token: new Secret(token), validMinutes: lifetimeMs / MINUTE_MS };
  }

  /** @returns undefined for a token that is unknown, replaced or too old @throws RedisUnavailableError */
  async find<Kind extends OneTimeTokenKind>(
    token: Secret,
    kinds: readonly Kind[],
    deadline: Deadline,
  ): Promise<FoundOneTimeToken<Kind> | undefined> {
    const [, userId] = FORM.exec(token.reveal()) ?? [];
    if (userId === undefined) {
      return undefined;
    }
    const hash = sha256(token.reveal());
    const found = await this.store.find(userId, kinds, hash, deadline);
    return found && ({ ...found, userId, hash } as FoundOneTimeToken<Kind>);
  }

  /** Best effort: a token that was used does not fit the state of the user any more. */
  async discard(
    { userId, kind, hash }: FoundOneTimeToken<OneTimeTokenKind>,
    deadline: Deadline,
  ): Promise<void> {
    const limited = deadline.within(BEST_EFFORT_TIMEOUT_MS);
    await this.store.remove(userId, kind, hash, limited).catch(() => undefined);
  }
}
