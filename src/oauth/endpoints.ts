import { Inject, Injectable } from '@nestjs/common';

import type { Deadline } from '../common/deadline/index.js';
import { KeyRing } from '../keys/index.js';
import { OAUTH_OPTIONS } from './oauth.module-definition.js';
import type { OAuthOptions } from './oauth.options.js';

/** The URLs that clients use. */
export interface EndpointUrls {
  readonly issuer: string;
  readonly token: string;
  readonly introspection: string;
  readonly revocation: string;
  readonly jwks: string;
}

/** The issuer and the URLs of the endpoints. They never depend on a request, whose `Host` anybody can choose. */
@Injectable()
export class Endpoints {
  constructor(
    private readonly ring: KeyRing,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  /** @throws RedisUnavailableError */
  async issuer(deadline: Deadline): Promise<string> {
    return (await this.ring.published(deadline)).issuer;
  }

  /**
   * @returns undefined when no URL is known: the issuer is not a URL, and there is no public URL
   * @throws RedisUnavailableError
   */
  async urls(deadline: Deadline): Promise<EndpointUrls | undefined> {
    const issuer = await this.issuer(deadline);
    const base = this.options.publicUrl ?? (isHttpUrl(issuer) ? issuer.replace(/\/+$/, '') : '');
    return base === ''
      ? undefined
      : {
          issuer,
          token: `${base}/oauth/token`,
          introspection: `${base}/oauth/introspect`,
          revocation: `${base}/oauth/revoke`,
          jwks: `${base}/.well-known/jwks.json`,
        };
  }
}

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
