import {
  Controller,
  Get,
  Module,
  Sse,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { NEVER, of, type Observable } from 'rxjs';

import { AuditModule, type AuditEvent } from '../audit/index.js';
import {
  CurrentPrincipal,
  CurrentUser,
  Public,
  RequirePermissions,
  Roles,
  type Principal,
  type UserPrincipal,
} from '../common/authentication/index.js';
import { RequestOrigin, type Origin, type OriginFacts } from '../common/origin/index.js';
import { RoleReader } from '../roles/read/index.js';
import { AccessWatch } from './access-watch.js';
import { GuardProblemFilter } from './guard-problem.filter.js';
import { GuardedStreams } from './guarded-streams.js';
import { CurrentRolesGuard } from './current-roles.guard.js';
import { PermissionCheck } from './permission-check.js';

const CLIENT: Principal = {
  kind: 'client',
  clientId: 'reports',
  tokenId: 'token-1',
  epoch: 0,
  expiresAtSeconds: 0,
  permissions: ['users:read'],
};
const USER: Principal = {
  kind: 'user',
  userId: 'user-1',
  sessionId: 'session-1',
  tokenId: 'token-2',
  user: {
    id: 'user-1',
    username: 'ada',
    email: null,
    displayName: null,
    roles: ['reader'],
    createdAt: new Date(0),
    updatedAt: new Date(0),
  },
};

@Controller()
class WhoController {
  @Get('principal') principal(@CurrentPrincipal() caller: Principal): string {
    return caller.kind;
  }

  @Get('user') user(@CurrentUser() { userId }: UserPrincipal): string {
    return userId;
  }

  @Public()
  @Get('public')
  public(@CurrentUser() user?: UserPrincipal, @CurrentPrincipal() caller?: Principal): string {
    return `${typeof user} ${typeof caller}`;
  }

  @Get('origin') origin(@RequestOrigin() { facts }: Origin): OriginFacts {
    return facts;
  }

  @RequirePermissions('users:read')
  @Get('read')
  read(): string {
    return 'read';
  }

  @RequirePermissions('users:read', 'users:write')
  @Get('write')
  write(): string {
    return 'write';
  }

  @Sse('events') events(): Observable<{ data: string }> {
    return of({ data: 'event' });
  }
}

/** Replaces JwtAuthGuard and sets the principal. */
class Caller implements CanActivate {
  principal: Principal | undefined;

  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getRequest<{ user?: Principal | undefined }>().user = this.principal;
    return true;
  }
}

describe('a principal', () => {
  const caller = new Caller();
  const roles = new Roles({ roles: { reader: ['users:read'] } });
  /** Whether the roles are in memory. */
  let isWarm = true;
  const reader: Partial<RoleReader> = {
    defaults: roles,
    recall: () => (isWarm ? roles : undefined),
    current: () => Promise.resolve(roles),
  };
  const events: AuditEvent[] = [];
  const watched: unknown[] = [];
  let app: INestApplication;
  let url: string;
  beforeAll(async () => {
    const sink = { record: (event: AuditEvent) => void events.push(event) };
    @Module({
      imports: [AuditModule.forRoot({ sink: { useValue: sink } }), DiscoveryModule],
      controllers: [WhoController],
      providers: [
        { provide: APP_GUARD, useValue: caller },
        { provide: APP_GUARD, useClass: CurrentRolesGuard },
        { provide: APP_FILTER, useClass: GuardProblemFilter },
        { provide: RoleReader, useValue: reader },
        {
          provide: AccessWatch,
          useValue: { endOf: (of: unknown) => (watched.push(of), NEVER) },
        },
        GuardedStreams,
        PermissionCheck,
      ],
    })
    class WhoModule {}
    app = await NestFactory.create(WhoModule, new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());
  beforeEach(() => {
    events.splice(0);
    isWarm = true;
  });

  const answer = async (
    path: string,
    principal: Principal | undefined,
  ): Promise<[number, string]> => {
    caller.principal = principal;
    const response = await fetch(`${url}/${path}`);
    return [response.status, await response.text()];
  };

  it('can be a client or a user on a route that accepts both', async () => {
    expect(await answer('principal', CLIENT)).toEqual([200, 'client']);
    expect(await answer('principal', USER)).toEqual([200, 'user']);
  });

  it('is refused with 403 as a client on a route that accepts only users', async () => {
    expect(await answer('user', USER)).toEqual([200, 'user-1']);
    const [status, body] = await answer('user', CLIENT);
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ code: 'user-required' });
  });

  it('is undefined on a public route without a token', async () => {
    expect(await answer('public', undefined)).toEqual([200, 'undefined undefined']);
  });

  it.each([true, false])(
    'has the permissions of its roles as a user, and its own permissions as a client; roles in memory: %s',
    async (are) => {
      isWarm = are;
      expect(await answer('read', USER)).toEqual([200, 'read']);
      expect(await answer('read', CLIENT)).toEqual([200, 'read']);
      expect(events).toEqual([]);
    },
  );

  it.each([true, false])(
    'without one of the required permissions is refused, and the refusal is audited with its id; roles in memory: %s',
    async (are) => {
      isWarm = are;
      expect((await answer('write', CLIENT))[0]).toBe(403);
      expect((await answer('write', USER))[0]).toBe(403);
      const refusal = {
        type: 'permission-refused',
        result: 'refused',
        reason: 'missing-permission',
        details: { required: ['users:read', 'users:write'] },
      };
      expect(events).toMatchObject([
        {
          ...refusal,
          actor: 'client',
          actorId: 'reports',
          actorSessionId: undefined,
          userId: undefined,
        },
        {
          ...refusal,
          actor: 'user',
          actorId: 'user-1',
          actorSessionId: 'session-1',
          userId: 'user-1',
        },
      ]);
    },
  );

  it('is the actor in the origin of its requests', async () => {
    const [, client] = await answer('origin', CLIENT);
    expect(JSON.parse(client)).toMatchObject({ actor: 'client', actorId: 'reports' });
    const [, user] = await answer('origin', USER);
    expect(JSON.parse(user)).toMatchObject({ actor: 'user', actorSessionId: 'session-1' });
  });

  it('has streams that end with its access', async () => {
    watched.splice(0);
    expect((await answer('events', CLIENT))[1]).toContain('event');
    expect((await answer('events', USER))[1]).toContain('event');
    expect(watched).toEqual([CLIENT, USER]);
  });
});
