import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import { createPublicKey, randomUUID, type JsonWebKey } from 'node:crypto';

import { Clock } from '../common/clock/index.js';
import type { Deadline } from '../common/deadline/index.js';
import { sha256 } from '../common/digest/index.js';
import { LuaScript, RedisCluster } from '../redis-cluster/index.js';
import {
  algorithmsOf,
  type AccountCredentials,
  type ClientKey,
} from '../service-accounts/index.js';
import { ClientAccounts } from './client-accounts.js';
import { Endpoints } from './endpoints.js';
import type { PresentedAssertion } from './presented-credentials.js';

/** An assertion is for one request. A longer one would be a password. */
const MAX_LIFETIME_SECONDS = 300;
/** Maximum difference between the clock of a client and ours. */
const CLOCK_SKEW_SECONDS = 10;
/** The mark lives longer than the assertion, because Redis and this instance have different clocks. */
const MARK_MARGIN_SECONDS = 60;
const ASSERTION_MAX_LENGTH = 8192;
const ID_MAX_LENGTH = 1000;

const load = LuaScript.loaderFor(import.meta.url);
const useAssertion = load('use-assertion', (reply) => reply === 1);

/** Authenticates clients by a JWT that they have signed (`private_key_jwt`, RFC 7523 section 3). */
@Injectable()
export class ClientAssertions {
  constructor(
    private readonly accounts: ClientAccounts,
    private readonly redis: RedisCluster,
    private readonly clock: Clock,
    private readonly endpoints: Endpoints,
  ) {}

  /**
   * @returns the account, if the assertion is valid and was not used before on any instance
   * @throws RedisUnavailableError, NotConfirmedError
   */
  async accountOf(
    { assertion, clientId }: PresentedAssertion,
    network: string,
    deadline: Deadline,
  ): Promise<AccountCredentials | undefined> {
    const parsed = parse(assertion);
    if (!parsed || (clientId !== undefined && clientId !== parsed.clientId)) {
      return undefined;
    }
    const account = await this.accounts.find(parsed.clientId, network, deadline);
    const candidates = account?.jwks.keys.filter((key) => mayHaveSigned(key, parsed)) ?? [];
    for (const key of candidates) {
      const claims = await this.verified(assertion, key, parsed, deadline);
      if (claims) {
        return (await this.use(claims, deadline)) ? account : undefined;
      }
    }
    return undefined;
  }

  private async verified(
    assertion: string,
    key: ClientKey,
    { clientId, alg }: Parsed,
    deadline: Deadline,
  ): Promise<Required<Pick<JWTPayload, 'iss' | 'jti' | 'exp'>> | undefined> {
    const now = this.clock.nowSeconds();
    const urls = await this.endpoints.urls(deadline);
    const issuer = urls?.issuer ?? (await this.endpoints.issuer(deadline));
    try {
      const { payload } = await jwtVerify(
        assertion,
        createPublicKey({ key: key as JsonWebKey, format: 'jwk' }),
        {
          algorithms: [alg],
          issuer: clientId,
          subject: clientId,
          audience: urls ? [issuer, urls.token] : issuer,
          clockTolerance: CLOCK_SKEW_SECONDS,
          currentDate: new Date(now * 1000),
          requiredClaims: ['exp', 'jti'],
        },
      );
      const { jti, exp = 0, aud } = payload;
      const isAccepted =
        typeof jti === 'string' &&
        jti !== '' &&
        jti.length <= ID_MAX_LENGTH &&
        exp - now <= MAX_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS &&
        // An assertion for several servers could be used by one of them at another.
        [aud].flat().length === 1;
      return isAccepted ? { iss: clientId, jti, exp } : undefined;
    } catch {
      return undefined; // Clients must not learn which check failed.
    }
  }

  /** Of all uses of an assertion, on all instances, exactly one succeeds. */
  private async use(
    { iss, jti, exp }: { readonly iss: string; readonly jti: string; readonly exp: number },
    deadline: Deadline,
  ): Promise<boolean> {
    const key = this.redis.keys.key(['client-assertion', sha256(`${iss} ${jti}`)], 'used');
    const left = exp + CLOCK_SKEW_SECONDS - this.clock.nowSeconds();
    const ttlMs = (Math.ceil(left) + MARK_MARGIN_SECONDS) * 1000;
    return this.redis.runDurably(useAssertion, [key], [randomUUID(), ttlMs], deadline);
  }
}

interface Parsed {
  readonly clientId: string;
  readonly alg: string;
  readonly kid: string | undefined;
}

/** Reads what is needed to find the key. Nothing of it is verified yet. */
function parse(assertion: string): Parsed | undefined {
  if (assertion.length > ASSERTION_MAX_LENGTH) {
    return undefined;
  }
  try {
    const { alg, kid } = decodeProtectedHeader(assertion);
    const { iss, sub } = decodeJwt(assertion);
    return iss === sub && isUUID(iss) && typeof alg === 'string'
      ? { clientId: iss as string, alg, kid }
      : undefined;
  } catch {
    return undefined;
  }
}

function mayHaveSigned(key: ClientKey, { alg, kid }: Parsed): boolean {
  const isNamed = kid === undefined || key.kid === undefined || key.kid === kid;
  return isNamed && algorithmsOf(key).includes(alg);
}
