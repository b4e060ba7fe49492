import { Inject, Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';

import { RateLimiter, type AttemptDecision, type FailureLimit } from '../rate-limit/index.js';
import { usernameDigest } from '../users/index.js';
import { AUTH_OPTIONS } from './auth.module-definition.js';
import { AUTH_DEFAULTS, type AuthOptions } from './auth.options.js';

const WINDOW_MS = 15 * 60 * 1000;
/** OWASP ASVS 6.3.1; the account is free again when the window has passed, so nobody is locked out for good. */
const PER_ACCOUNT: FailureLimit = { name: 'login-account', failures: 10, windowMs: WINDOW_MS };
/** One password tried on many accounts. Higher, because many people may share an address. */
const PER_ADDRESS: FailureLimit = { name: 'login-address', failures: 100, windowMs: WINDOW_MS };
const IPV6_PREFIX_BITS = 64;

export type LoginAttempt =
  | {
      readonly isAllowed: true;
      failed(): Promise<void>;
      succeeded(): Promise<void>;
      /** It came to no decision: nothing is counted. */
      abandoned(): Promise<void>;
    }
  | { readonly isAllowed: false; readonly retryAfterSeconds: number };

/** Limits failed logins for each account, known or not, and for each address, across all instances. */
@Injectable()
export class LoginBrake {
  private readonly isOn: boolean;

  constructor(
    private readonly limiter: RateLimiter,
    @Inject(AUTH_OPTIONS) options: AuthOptions,
  ) {
    this.isOn = options.isRateLimited ?? AUTH_DEFAULTS.isRateLimited;
  }

  async begin(username: string, address: string): Promise<LoginAttempt> {
    if (!this.isOn) {
      return { isAllowed: true, failed: nothing, succeeded: nothing, abandoned: nothing };
    }
    const byAddress = await this.limiter.begin(PER_ADDRESS, network(address));
    if (!byAddress.isAllowed) {
      return refused(byAddress);
    }
    const byAccount = await this.limiter.begin(PER_ACCOUNT, usernameDigest(username));
    if (!byAccount.isAllowed) {
      await byAddress.end('void');
      return refused(byAccount);
    }
    const end = async (account: 'failed' | 'void' | 'reset', source: 'failed' | 'void') => {
      await Promise.all([byAccount.end(account), byAddress.end(source)]);
    };
    return {
      isAllowed: true,
      failed: () => end('failed', 'failed'),
      // A success clears this account only: an attacker's own account must not clear the address.
      succeeded: () => end('reset', 'void'),
      abandoned: () => end('void', 'void'),
    };
  }
}

function refused(decision: AttemptDecision & { isAllowed: false }): LoginAttempt {
  return { isAllowed: false, retryAfterSeconds: Math.ceil(decision.retryAfterMs / 1000) };
}

async function nothing(): Promise<void> {
  // The brake is off.
}

/** An IPv6 host has a whole /64 to call from. */
function network(address: string): string {
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_PREFIX_BITS}`).toString();
}
