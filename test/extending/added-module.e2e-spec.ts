import { jest } from '@jest/globals';
import {
  BadRequestException,
  Catch,
  ConflictException,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Logger,
  MethodNotAllowedException,
  Module,
  NotFoundException,
  Param,
  PayloadTooLargeException,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { FastifyReply } from 'fastify';

import { RequirePermissions } from '../../src/common/authentication/index.js';
import { RoleReader } from '../../src/roles/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const FROZEN = Object.freeze({ list: [1] });

@Controller('api/added')
class AddedController {
  @Get('number') number(): number {
    return 42;
  }
  @Get('none') none(): null {
    return null;
  }
  @Get('frozen') frozen(): typeof FROZEN {
    return FROZEN;
  }
  /** The same name as one of our handlers. */
  @Get('read') read(): boolean {
    return true;
  }
  @Get('conflict') conflict(): void {
    throw new ConflictException('there is one of that name');
  }
  @Get('unprocessable') unprocessable(): void {
    throw new UnprocessableEntityException('the dates are the wrong way round');
  }
  @Get('bad') bad(): void {
    throw new BadRequestException('the month has no such day');
  }
  @Get('teapot') teapot(): void {
    throw new HttpException('short and stout', 418);
  }
  @Get('unavailable') unavailable(): void {
    throw new ServiceUnavailableException('10.0.0.7 is down');
  }
  @Get('missing') missing(): void {
    throw new NotFoundException();
  }
  @Get('out-of-stock') outOfStock(): void {
    throw new OutOfStockError('chairs');
  }
  @Get('guarded') @UseGuards({ canActivate: () => false }) guarded(): boolean {
    return true;
  }
}

/** Exceptions of modules: each path throws one of them. */
const EXCEPTIONS: Readonly<Record<string, HttpException>> = {
  list: new BadRequestException(['the month has no such day', 'the hour is missing']),
  members: new BadRequestException({ code: 'limit-reached', amount: 3, status: 200 }),
  both: new ConflictException({ message: 'booked already', by: 'grace', requestId: 'mine' }),
  unauthorized: new UnauthorizedException('the partner key is missing'),
  'unauthorized-alone': new UnauthorizedException(),
  forbidden: new ForbiddenException('only on weekdays'),
  'not-found': new NotFoundException('no chair of that name'),
  'method-not-allowed': new MethodNotAllowedException('the month is closed'),
  'too-large': new PayloadTooLargeException('at most 3 pictures'),
  'too-many': new HttpException('at most 5 exports a day', 429),
  'conflict-alone': new ConflictException(),
};

@Controller('api/exceptions')
class ExceptionsController {
  @Get(':name') throw(@Param('name') name: string): void {
    throw EXCEPTIONS[name]!;
  }
}

class OutOfStockError extends Error {}

@Catch(OutOfStockError)
class OutOfStockFilter implements ExceptionFilter<OutOfStockError> {
  catch(error: OutOfStockError, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().status(410).send({ gone: error.message });
  }
}

@Module({
  controllers: [AddedController, ExceptionsController],
  providers: [{ provide: APP_FILTER, useClass: OutOfStockFilter }],
})
class AddedModule {}

@Controller('api/pages')
class PagesController {
  @Get() @RequirePermissions('pages:read', 'users:read') read(): string[] {
    return ['one'];
  }
}

@Module({ controllers: [PagesController] })
class PagesModule {}

describe('an added module', () => {
  let api: TestApp;
  let token: string;
  beforeAll(async () => {
    api = await startTestApp({}, { imports: [AddedModule] });
    token = (await api.newUser()).tokens.access_token;
  });
  afterAll(async () => api.close());

  const get = async (path: string) => api.request('GET', `/api/added/${path}`, { token });

  it('may answer with any JSON value, and with values that change later', async () => {
    expect(await get('number')).toMatchObject({ status: 200, body: 42 });
    expect(await get('read')).toMatchObject({ status: 200, body: true });
    expect((await get('none')).status).toBe(200);
    expect((await get('frozen')).body).toEqual({ list: [1] });

    FROZEN.list.push(2);

    expect((await get('frozen')).body).toEqual({ list: [1, 2] });
  });

  it.each([
    ['conflict', 409, 'there is one of that name'],
    ['unprocessable', 422, 'the dates are the wrong way round'],
    ['bad', 400, 'the month has no such day'],
    ['teapot', 418, 'short and stout'],
  ])('may throw exceptions of Nest: %s', async (path, status, detail) => {
    const { status: answered, headers, body } = await get(path);

    expect(answered).toBe(status);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({
      type: 'about:blank',
      status,
      detail,
      instance: `/api/added/${path}`,
      requestId: headers.get('x-request-id'),
    });
  });

  it.each([
    [
      'list',
      400,
      {
        detail: 'the month has no such day; the hour is missing',
        errors: [
          { pointer: '', code: 'bad-request', detail: 'the month has no such day' },
          { pointer: '', code: 'bad-request', detail: 'the hour is missing' },
        ],
      },
    ],
    ['members', 400, { code: 'limit-reached', amount: 3, status: 400 }],
    ['both', 409, { detail: 'booked already', code: 'conflict', by: 'grace' }],
    ['unauthorized', 401, { code: 'unauthorized', detail: 'the partner key is missing' }],
    ['unauthorized-alone', 401, { code: 'unauthorized', type: 'about:blank' }],
    ['forbidden', 403, { code: 'forbidden', detail: 'only on weekdays' }],
    ['not-found', 404, { code: 'not-found', detail: 'no chair of that name' }],
    ['method-not-allowed', 405, { detail: 'the month is closed' }],
    ['too-large', 413, { detail: 'at most 3 pictures' }],
    ['too-many', 429, { code: 'too-many-requests', detail: 'at most 5 exports a day' }],
    ['conflict-alone', 409, { code: 'conflict', detail: 'Conflict' }],
  ])('keeps the texts and members of an exception of Nest: %s', async (name, status, document) => {
    const answer = await api.request('GET', `/api/exceptions/${name}`, { token });

    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      ...document,
      instance: `/api/exceptions/${name}`,
      requestId: answer.headers.get('x-request-id'),
    });
    // RFC 9110 section 15.5.2. The token that was sent is valid, so no error is named.
    expect(answer.headers.get('www-authenticate')).toBe(
      status === 401 ? 'Bearer realm="keyslot"' : null,
    );
  });

  it('may have its own exception filters (APP_FILTER), which run before ours', async () => {
    expect(await get('out-of-stock')).toMatchObject({ status: 410, body: { gone: 'chairs' } });
  });

  it('gets the texts of the catalogue for errors that the framework raises', async () => {
    expect((await get('no-such-route')).body).toMatchObject({
      code: 'not-found',
      type: '/problems/not-found',
    });
    expect((await get('guarded')).body).toMatchObject({
      code: 'forbidden',
      type: '/problems/forbidden',
    });
  });

  it('reveals only the status of its own internal errors', async () => {
    const { status, body } = await get('unavailable');

    expect(status).toBe(503);
    expect(body).toMatchObject({ type: 'about:blank', detail: 'Service Unavailable' });
    expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  });

  it('can use the problems of the catalogue', async () => {
    expect((await get('missing')).body).toMatchObject({ status: 404, code: 'not-found' });
    expect((await api.request('GET', '/api/added/read')).body).toMatchObject({
      code: 'missing-token',
    });
  });
});

describe('added roles', () => {
  let api: TestApp;
  let admin: string;
  beforeAll(async () => {
    const roles = { editor: ['pages:read', 'users:read'], guest: ['pages:read'] };
    api = await startTestApp(WITH_ADMINISTRATOR, { imports: [PagesModule], roles });
    const { body } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    admin = body.access_token;
  });
  afterAll(async () => api.close());

  it('grant their permissions at once, and an administrator has all permissions', async () => {
    const { id, tokens } = await api.newUser();
    const read = async (token = tokens.access_token): Promise<number> =>
      (await api.request('GET', '/api/pages', { token })).status;
    const give = async (...roles: string[]): Promise<number> =>
      (await api.request('PATCH', `/api/users/${id}`, { token: admin, body: { roles } })).status;

    expect(await read()).toBe(403);
    expect(await read(admin)).toBe(200);
    expect(await give('guest')).toBe(200);
    expect(await read()).toBe(403);
    expect(await give('guest', 'editor')).toBe(200);
    expect(await read()).toBe(200);
    expect(await give()).toBe(200);
    expect(await read()).toBe(403);
  });

  it('can be assigned to users, and are listed', async () => {
    const { id } = await api.newUser();
    const body = { roles: ['editor', 'author'] };
    const refused = await api.request('PATCH', `/api/users/${id}`, { token: admin, body });
    const { body: listed } = await api.request('GET', '/api/roles', { token: admin });

    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/roles', code: 'unknown-item' }] },
    });
    expect(listed['items']).toMatchObject([
      { name: 'admin', source: 'built-in' },
      { name: 'editor', permissions: ['pages:read', 'users:read'], source: 'code' },
      { name: 'guest', permissions: ['pages:read'], source: 'code' },
    ]);
  });
});

describe('a permission that no role of the code grants', () => {
  const roles = { guest: ['page:read'] };
  const warnings: unknown[] = [];
  let api: TestApp;
  let admin: string;
  beforeAll(async () => {
    jest
      .spyOn(Logger.prototype, 'warn')
      .mockImplementation((message: unknown) => void warnings.push(message));
    api = await startTestApp(WITH_ADMINISTRATOR, { imports: [PagesModule], roles });
    admin = (await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await api.close();
  });
  const WARNING =
    'PagesController.read requires pages:read, which no role grants except admin. ' +
    'Check the spelling, or store a role that grants it: PUT /api/roles/{name} of Keyslot.';

  it('is named in a warning at start, and only administrators have it', async () => {
    const { tokens } = await api.newUser();
    const read = async (token: string): Promise<number> =>
      (await api.request('GET', '/api/pages', { token })).status;

    expect([await read(admin), await read(tokens.access_token)]).toEqual([200, 403]);
    await eventually('the warning', 5000, () => Promise.resolve(warnings.includes(WARNING)));
  });

  it('can be granted by a role of the cluster; then the next start does not warn', async () => {
    const body = { permissions: ['pages:read', 'users:read'] };
    const stored = await api.request('PUT', '/api/roles/reader', { token: admin, body });
    expect(stored.status).toBe(204);
    const { id, tokens } = await api.newUser();
    const options = { token: admin, body: { roles: ['reader'] } };
    expect((await api.request('PATCH', `/api/users/${id}`, options)).status).toBe(200);
    const { access_token: token } = tokens;
    expect((await api.request('GET', '/api/pages', { token })).status).toBe(200);

    warnings.splice(0);
    const variables = { ...WITH_ADMINISTRATOR, REDIS_KEY_PREFIX: api.keyPrefix };
    const next = await startTestApp(variables, { imports: [PagesModule], roles });
    await next.app.get(RoleReader).untilLoaded();
    await next.close();
    expect(warnings).not.toContain(WARNING);
  });
});
