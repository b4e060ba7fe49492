import type { AuthenticationMethod } from '../../user-slot/read/index.js';

/** All kinds of factors of this application. */
export const SECOND_FACTORS = Symbol('SECOND_FACTORS');
/** Those that the application adds to Keyslot's. */
export const ADDED_SECOND_FACTORS = Symbol('ADDED_SECOND_FACTORS');
/** Of the types of factors that an application adds. */
export const FACTOR_TYPE_PATTERN = /^[a-z0-9][a-z0-9-]{0,39}$/;

export interface ProofContext {
  readonly nowMs: number;
  /** What the proof must sign, for a kind of factor that signs: in base64url. Undefined when nothing was asked to be signed. */
  readonly challenge?: string | undefined;
}

/**
 * A kind of second factor. Keyslot stores a factor of the kind with its state, encrypted, in the slot of the user. It writes a state
 * only if nobody has written another one since it was read, so a proof that a new state refuses counts once.
 */
export interface SecondFactor {
  /** As in the API: `totp`. Lower-case letters, digits and hyphens. It must not change, because it is stored. */
  readonly type: string;

  /** How a login with it is named in the claim `amr` (RFC 8176). */
  readonly methods: readonly AuthenticationMethod[];

  /** Whether a user has at most one: a new one replaces the former when it is confirmed. Default: false. */
  readonly isOnly?: boolean;

  /**
   * Whether somebody could guess a proof, as for proofs of less than 64 bits. Wrong proofs are then limited for the account, and
   * somebody who knows the password can block the kind for strangers. If not, they are limited for each address.
   */
  readonly isGuessable: boolean;

  /**
   * Confirms an enrolment. Default: `check`.
   *
   * @returns the state of the confirmed factor; undefined when the proof is wrong
   */
  confirm?(state: string, proof: unknown, nowMs: number): Promise<string | undefined>;

  /**
   * @param state as `check` or the enrolment has returned it
   * @param proof from the request: a text of any form, for a passkey an object. It must not throw for a wrong form
   * @returns the new state, in which this proof is refused if it must count only once; undefined when the proof is wrong
   */
  check(state: string, proof: unknown, context: ProofContext): Promise<string | undefined>;
}
