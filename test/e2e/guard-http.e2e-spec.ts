import { Controller, Get, Sse, type ExecutionContext, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import passport, { Strategy } from 'passport';
import { NEVER, startWith, type Observable } from 'rxjs';

import { RequestDeadline, type Deadline } from '../../src/common/deadline/index.js';
import {
  CurrentUser,
  JwtAuthGuard,
  Public,
  RequirePermissions,
  type UserPrincipal,
} from '../../src/guard/index.js';
import { itIsGuarded, serviceModule, type GuardedCalls } from '../support/guarded-service.js';
import { HttpClient } from '../support/http-client.js';
import { newPrefix } from '../support/near-cache.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

@Controller('notes')
class NotesController {
  @Get('own') own(@CurrentUser() { user }: UserPrincipal): string {
    return user.username;
  }
  @RequirePermissions('notes:review') @Get('drafts') drafts(): string {
    return 'drafts';
  }
  @Public() @Get('open') open(@CurrentUser() user?: UserPrincipal): string {
    return typeof user;
  }
  @Sse('events') events(): Observable<{ data: string }> {
    return NEVER.pipe(startWith({ data: 'first' }));
  }
  @Get('deadline') deadline(@RequestDeadline() { remainingMs }: Deadline): string {
    return String(remainingMs <= 1800);
  }
}

const ADAPTERS = { Express: ExpressAdapter, Fastify: FastifyAdapter };

/** Calls the routes of a service that listens. */
async function callsTo(app: INestApplication): Promise<GuardedCalls & { client: HttpClient }> {
  await app.listen(0, '127.0.0.1');
  const client = new HttpClient(await app.getUrl());
  return {
    client,
    call: async (handler, token) => {
      const options = token === undefined ? {} : { token };
      const { body } = await client.request<unknown>('GET', `/notes/${handler}`, options);
      return typeof body === 'string' ? body : (body as { code: string }).code;
    },
    close: () => app.close(),
  };
}

describe.each(['Express', 'Fastify'] as const)('the guard of a service on %s', (platform) => {
  const create = async (keyslot: TestApp, keyPrefix?: string): Promise<INestApplication> => {
    const options = keyPrefix === undefined ? {} : { keyPrefix };
    const service = serviceModule(keyslot, { controllers: [NotesController] }, options);
    return NestFactory.create(service, new ADAPTERS[platform](), { logger: false });
  };

  itIsGuarded(async (keyslot) => callsTo(await create(keyslot)));

  describe('answers', () => {
    let keyslot: TestApp;
    let service: Awaited<ReturnType<typeof callsTo>>;
    beforeAll(async () => {
      keyslot = await startTestApp();
      service = await callsTo(await create(keyslot));
    });
    afterAll(async () => Promise.all([service?.close(), keyslot.close()]));

    it('with a problem and a challenge, in the language of the client', async () => {
      const refused = await service.client.request('GET', '/notes/own?a=b', {
        token: 'e30.e30.c2ln',
        headers: { 'accept-language': 'zh' },
      });

      expect(refused.status).toBe(401);
      expect(Object.fromEntries(refused.headers)).toMatchObject({
        'content-type': 'application/problem+json; charset=utf-8',
        'content-language': 'zh',
        'cache-control': 'no-store',
        'www-authenticate': 'Bearer realm="keyslot", error="invalid_token"',
      });
      expect(refused.body).toMatchObject({
        type: '/problems/invalid-token',
        status: 401,
        code: 'invalid-token',
        instance: '/notes/own',
        requestId: expect.stringMatching(/./),
      });
    });

    it('403 without a challenge for a missing permission', async () => {
      const { tokens } = await keyslot.newUser();
      const refused = await service.client.request('GET', '/notes/drafts', {
        token: tokens.access_token,
      });

      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(refused.headers.get('www-authenticate')).toBeNull();
    });

    it('503 with Retry-After when Redis cannot decide', async () => {
      const undecided = await callsTo(await create(keyslot, newPrefix()));
      const { status, headers, body } = await undecided.client.request('GET', '/notes/own', {
        token: 'e30.e30.c2ln',
      });
      await undecided.close();

      expect([status, body]).toMatchObject([503, { code: 'store-unavailable' }]);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    });

    it('401 to a request with two tokens', async () => {
      const { tokens } = await keyslot.newUser();
      const headers = { authorization: `Bearer ${tokens.access_token}, Bearer x` };
      const { status } = await service.client.request('GET', '/notes/own', { headers });

      expect(status).toBe(401);
    });

    it('with events until the session ends', async () => {
      const { tokens } = await keyslot.newUser();
      const response = await fetch(`${service.client.url}/notes/events`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      const reader = response.body!.getReader();
      await reader.read();
      await keyslot.logout(tokens.access_token);

      expect((await reader.read()).done).toBe(true);
    });

    it('to parallel requests, each with its own user', async () => {
      const users = await Promise.all(Array.from({ length: 8 }, async () => keyslot.newUser()));
      const own = async (token: string): Promise<string> => service.call('own', token);
      const forged = (token: string): string => `${token.slice(0, -2)}AA`;
      const tokens = users.map(({ tokens: { access_token: token } }) => token);

      const [answers, refusals] = await Promise.all([
        Promise.all(tokens.map(own)),
        Promise.all(tokens.map(forged).map(own)),
      ]);

      expect(answers).toEqual(users.map(({ username }) => username));
      expect(refusals).toEqual(users.map(() => 'invalid-token'));
    });

    it('within the deadline of the request', async () => {
      const { access_token: token } = (await keyslot.newUser()).tokens;

      expect((await service.client.request('GET', '/notes/deadline', { token })).body).toBe('true');
    });
  });
});

describe('the guard of a service', () => {
  let keyslot: TestApp;
  beforeAll(async () => (keyslot = await startTestApp()));
  afterAll(async () => keyslot.close());
  const module = (): ReturnType<typeof serviceModule> =>
    serviceModule(keyslot, { controllers: [NotesController] });

  const user = { kind: 'user', user: { username: 'ada', roles: ['reviewer'] } };
  const substitute = {
    canActivate: (context: ExecutionContext): boolean => {
      context.switchToHttp().getRequest<{ user: unknown }>().user = user;
      return true;
    },
  };

  it.each(['overrideGuard', 'overrideProvider'] as const)(
    'can be replaced in a test by %s',
    async (override) => {
      const builder = Test.createTestingModule({ imports: [module()] });
      const testing = await builder[override](JwtAuthGuard).useValue(substitute).compile();
      const service = await callsTo(testing.createNestApplication({ logger: false }));

      expect(await service.call('own')).toBe('ada');
      expect(await service.call('drafts')).toBe('drafts');
      await service.close();
    },
  );

  it('is not replaced by a strategy of the application that is also called jwt', async () => {
    const app = await NestFactory.create(module(), { logger: false });
    class AnyToken extends Strategy {
      override authenticate(): void {
        this.success(user);
      }
    }
    passport.use('jwt', new AnyToken());
    const { call, close } = await callsTo(app);
    const { tokens, username } = await keyslot.newUser();

    expect(await call('own', 'e30.e30.c2ln')).toBe('invalid-token');
    expect(await call('own', tokens.access_token)).toBe(username);
    await close();
  });

  it('can read the token from another place', async () => {
    class CookieGuard extends JwtAuthGuard {
      override getRequest(context: ExecutionContext): ReturnType<JwtAuthGuard['getRequest']> {
        const { cookie = '' } = super.getRequest(context)!.headers!;
        return { headers: { authorization: cookie.replace('token=', 'Bearer ') } };
      }
    }
    const options = { guard: CookieGuard };
    const service = serviceModule(keyslot, { controllers: [NotesController] }, options);
    const { client, close } = await callsTo(await NestFactory.create(service, { logger: false }));
    const { tokens, username } = await keyslot.newUser();
    const own = async (headers: Record<string, string>): Promise<unknown> =>
      (await client.request('GET', '/notes/own', { headers })).body;

    const cookie = `token=${tokens.access_token}`;
    expect(await own({ cookie })).toBe(username);
    // From memory.
    expect(await own({ cookie })).toBe(username);
    const authorization = `Bearer ${tokens.access_token}`;
    expect(await own({ authorization })).toMatchObject({ code: 'missing-token' });
    await close();
  });
});
