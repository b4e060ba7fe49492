/**
 * Who acts: a user with a token or a password, a service account with a token, somebody who has proved nothing, the command
 * line, or an instance itself.
 */
export type Actor = 'user' | 'client' | 'anonymous' | 'operator' | 'system';

/** What an audit event says about its origin. Every member is there, so that none can be forgotten. */
export interface OriginFacts {
  readonly actor: Actor;
  /** The id of the user or the client who acts. */
  readonly actorId: string | undefined;
  /** The session in which the user acts. */
  readonly actorSessionId: string | undefined;
  /** The client's address, as `TRUSTED_PROXIES` lets it be known. */
  readonly ip: string | undefined;
  /** As in the answer and in the log. */
  readonly requestId: string | undefined;
}

type OriginMembers = Pick<OriginFacts, 'actor'> & Partial<OriginFacts>;

/**
 * Who asks for something, and from where. A service that records audit events takes it as a parameter, before the deadline:
 * from `@RequestOrigin()` in a controller, or one of the constants where there is no request.
 */
export class Origin {
  /** Work that an instance does by itself. */
  static readonly system = new Origin({ actor: 'system' });
  /** A command of the operator's. */
  static readonly operator = new Origin({ actor: 'operator' });

  readonly facts: OriginFacts;

  /** @param userAgent the header as text; not part of audit events */
  constructor(
    { actor, actorId, actorSessionId, ip, requestId }: OriginMembers,
    readonly userAgent = '',
  ) {
    this.facts = { actor, actorId, actorSessionId, ip, requestId };
  }

  /** The same request, after its caller has proved to be a user. */
  as(userId: string, sessionId?: string): Origin {
    const user = { actor: 'user', actorId: userId, actorSessionId: sessionId } as const;
    return new Origin({ ...this.facts, ...user }, this.userAgent);
  }

  /** The same request, after its caller has proved to be a service account. */
  asClient(clientId: string): Origin {
    return new Origin({ ...this.facts, actor: 'client', actorId: clientId }, this.userAgent);
  }
}
