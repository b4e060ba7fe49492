import { CLOCK_SKEW_SECONDS } from '../common/clock/index.js';

/** Maximum lifetime of an accepted access token (RFC 6750 section 5.3). */
export const ACCESS_TOKEN_MAX_SECONDS = 3600;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The claims of an access token, RFC 9068 section 2.2. */
export type AccessTokenClaims = UserTokenClaims | ClientTokenClaims;

interface CommonClaims {
  readonly iss: string;
  readonly aud: string | readonly string[];
  /** The id of the user or of the service account. */
  readonly sub: string;
  /** For a service account, the same as `sub`. */
  readonly client_id: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  /** The permissions to which the token is limited (RFC 9068 section 2.2.3), separated by spaces. Absent: no limit. */
  readonly scope?: string;
}

export interface UserTokenClaims extends CommonClaims {
  /** The session's id. */
  readonly sid: string;
  /** The roles at the time of issue. Decisions use the current roles of the user instead. */
  readonly roles: readonly string[];
  /** When the user authenticated, in seconds since the epoch. Absent in tokens of versions before 0.2. */
  readonly auth_time?: number;
  /** How the user authenticated (RFC 8176). Absent when `auth_time` is. */
  readonly amr?: readonly string[];
}

export interface ClientTokenClaims extends CommonClaims {
  readonly sid?: undefined;
  /** The epoch of the service account at the time of issue. */
  readonly epoch: number;
}

export function isOfUser(claims: AccessTokenClaims): claims is UserTokenClaims {
  return claims.sid !== undefined;
}

export interface ExpectedClaims {
  readonly issuer: string;
  /** Undefined: any. */
  readonly audience: string | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** @returns the claims, if all of them are valid */
export function acceptedClaims(
  payload: Readonly<Record<string, unknown>>,
  expected: ExpectedClaims,
): AccessTokenClaims | undefined {
  const isAccepted =
    payload['iss'] === expected.issuer &&
    isFor(expected.audience, payload['aud']) &&
    isWithinLifetime(payload, expected.now) &&
    [payload['sub'], payload['jti']].every(isUuid) &&
    typeof payload['client_id'] === 'string' &&
    ['string', 'undefined'].includes(typeof payload['scope']) &&
    (payload['sid'] === undefined ? isClient(payload) : isUser(payload));
  return isAccepted ? (payload as unknown as AccessTokenClaims) : undefined;
}

function isUser(payload: Readonly<Record<string, unknown>>): boolean {
  const { sid, roles, auth_time: authTime, amr } = payload;
  return (
    isUuid(sid) &&
    isListOfText(roles) &&
    (authTime === undefined || isTime(authTime)) &&
    (amr === undefined || isListOfText(amr))
  );
}

function isClient({ sub, client_id: clientId, epoch }: Readonly<Record<string, unknown>>): boolean {
  return clientId === sub && Number.isSafeInteger(epoch);
}

function isFor(audience: string | undefined, aud: unknown): boolean {
  if (audience === undefined) {
    return typeof aud === 'string' || isListOfText(aud);
  }
  return aud === audience || (isListOfText(aud) && aud.includes(audience));
}

function isWithinLifetime(payload: Readonly<Record<string, unknown>>, now: number): boolean {
  const { exp, iat, nbf } = payload;
  if (!isTime(exp) || !isTime(iat) || !(nbf === undefined || isTime(nbf))) {
    return false;
  }
  const latest = now + CLOCK_SKEW_SECONDS;
  const life = exp - iat;
  return (
    exp > now &&
    iat <= latest &&
    (nbf === undefined || nbf <= latest) &&
    life > 0 &&
    life <= ACCESS_TOKEN_MAX_SECONDS
  );
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isUuid(value: unknown): boolean {
  return typeof value === 'string' && UUID.test(value);
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
