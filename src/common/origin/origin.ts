/**
 * The kind of actor: an authenticated user, an authenticated service account, an unauthenticated caller, an operator at the
 * command line, or an instance itself.
 */
export type Actor = 'user' | 'client' | 'anonymous' | 'operator' | 'system';

/** Members of an audit event about its origin. All are required, so that none can be forgotten. */
export interface OriginFacts {
  readonly actor: Actor;
  /** Id of the acting user or client. */
  readonly actorId: string | undefined;
  /** Session of the acting user. */
  readonly actorSessionId: string | undefined;
  /** Address of the client, from `X-Forwarded-For` of `TRUSTED_PROXIES` or from the connection. */
  readonly ip: string | undefined;
  /** The same as in the response and in the log. */
  readonly requestId: string | undefined;
}

type OriginMembers = Pick<OriginFacts, 'actor'> & Partial<OriginFacts>;

/**
 * Who requests an operation, and from where. A service that records audit events takes it as a parameter, before the
 * deadline. Controllers get it by `@RequestOrigin()`; code without a request uses one of the constants.
 */
export class Origin {
  /** Work that an instance starts itself. */
  static readonly system = new Origin({ actor: 'system' });
  /** A command of the operator. */
  static readonly operator = new Origin({ actor: 'operator' });

  readonly facts: OriginFacts;

  /**
   * Neither of these headers is part of audit events.
   *
   * @param userAgent the decoded header
   * @param acceptLanguage the header, for mails that the request causes
   */
  constructor(
    { actor, actorId, actorSessionId, ip, requestId }: OriginMembers,
    readonly userAgent = '',
    readonly acceptLanguage?: string,
  ) {
    this.facts = { actor, actorId, actorSessionId, ip, requestId };
  }

  /** The same request, after its caller was authenticated as a user. */
  as(userId: string, sessionId?: string): Origin {
    const user = { actor: 'user', actorId: userId, actorSessionId: sessionId } as const;
    return this.with(user);
  }

  /** The same request, after its caller was authenticated as a service account. */
  asClient(clientId: string): Origin {
    return this.with({ actor: 'client', actorId: clientId });
  }

  private with(caller: OriginMembers): Origin {
    return new Origin({ ...this.facts, ...caller }, this.userAgent, this.acceptLanguage);
  }
}
