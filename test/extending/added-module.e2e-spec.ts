import {
  BadRequestException,
  Body,
  Catch,
  ConflictException,
  Controller,
  Delete,
  ForbiddenException,
  Get,
  HttpException,
  MethodNotAllowedException,
  Module,
  NotFoundException,
  Param,
  PayloadTooLargeException,
  Put,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { FastifyReply } from 'fastify';

import { ApiOperation, ApiProperty, ApiUnauthorizedResponse } from '@nestjs/swagger';
import { IsString } from 'class-validator';

import { Public, RequirePermissions } from '../../src/common/authentication/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
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
  /** Named as one of ours. */
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

/** What modules throw: each path answers with its exception. */
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

describe('a module that was added', () => {
  let api: TestApp;
  let token: string;
  beforeAll(async () => {
    api = await startTestApp({}, { imports: [AddedModule] });
    token = (await api.newUser()).tokens.access_token;
  });
  afterAll(async () => api.close());

  const get = async (path: string) => api.request('GET', `/api/added/${path}`, { token });

  it('may answer with whatever JSON has, and with what changes later', async () => {
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
  ])('may throw what Nest has for it: %s', async (path, status, detail) => {
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

  it('may have exception filters of its own (APP_FILTER), which run before ours', async () => {
    expect(await get('out-of-stock')).toMatchObject({ status: 410, body: { gone: 'chairs' } });
  });

  it('shows the texts of the catalogue for what the framework raises', async () => {
    expect((await get('no-such-route')).body).toMatchObject({
      code: 'not-found',
      type: '/problems/not-found',
    });
    expect((await get('guarded')).body).toMatchObject({
      code: 'forbidden',
      type: '/problems/forbidden',
    });
  });

  it('tells no more than the status of what is its own trouble', async () => {
    const { status, body } = await get('unavailable');

    expect(status).toBe(503);
    expect(body).toMatchObject({ type: 'about:blank', detail: 'Service Unavailable' });
    expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  });

  it('shares the problems of the catalogue', async () => {
    expect((await get('missing')).body).toMatchObject({ status: 404, code: 'not-found' });
    expect((await api.request('GET', '/api/added/read')).body).toMatchObject({
      code: 'missing-token',
    });
  });
});

class Order {
  @ApiProperty({ example: 'tea' }) @IsString() what!: string;
}
abstract class CrudController {
  @Get() list(): string[] {
    return [];
  }
  @Delete(':id') delete(): void {}
  @Put(['one', 'other']) @RequirePermissions('orders:write') put(@Body() body: Order): Order {
    return body;
  }
}
/** Inherits all its routes, and asks for a permission as a whole. */
@Controller('api/orders')
@RequirePermissions('orders:read')
class OrdersController extends CrudController {}
@Controller('api/carts')
class CartsController extends CrudController {
  @Public() @Get('open') open(): string {
    return 'open';
  }
  @Get('own') @ApiUnauthorizedResponse({ description: 'Who are you?' }) own(): string {
    return 'own';
  }
  @Get('named') @ApiOperation({ operationId: 'findMine' }) named(): string {
    return 'named';
  }
}
const Twin = (() => {
  @Controller('api/other-carts')
  class CartsController {
    @Get() list(): string[] {
      return [];
    }
  }
  return CartsController;
})();
@Module({ controllers: [OrdersController, CartsController, Twin] })
class OrdersModule {}

interface ApiDocument {
  readonly info: Record<string, unknown>;
  readonly security: unknown;
  readonly paths: Record<string, Record<string, DocumentedOperation>>;
}
interface DocumentedOperation {
  readonly operationId: string;
  readonly description?: string;
  readonly security?: unknown;
  readonly 'x-required-permissions'?: string[];
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, { examples: Record<string, unknown> }> }
  >;
}

describe('the API description of an application with routes of its own', () => {
  let api: TestApp;
  let document: ApiDocument;
  beforeAll(async () => {
    api = await startTestApp(
      {},
      {
        imports: [OrdersModule],
        roles: { buyer: ['orders:read', 'orders:write'] },
        apiDocs: { title: 'Orders', version: '2.3.4', description: 'Of tea.' },
      },
    );
    document = (await api.request<ApiDocument>('GET', '/docs-json')).body;
  });
  afterAll(async () => api.close());

  const operation = (method: string, path: string): DocumentedOperation =>
    document.paths[path]![method]!;
  const codes = (of: DocumentedOperation, status: number): string[] =>
    Object.keys(of.responses[status]?.content?.['application/problem+json']?.examples ?? {}).sort();

  it('says what the application says about itself, and claims no licence for it', async () => {
    const page = await api.request<string>('GET', '/docs');

    expect(document.info).toEqual({
      ...{ title: 'Orders', version: '2.3.4', description: 'Of tea.', contact: {} },
    });
    expect(page.body).toContain('<title>Orders</title>');
  });

  it('names operations by controller and method: no reserved word, and none twice', () => {
    const ids = Object.fromEntries(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => [
          `${method} ${path}`,
          operationId,
        ]),
      ),
    );

    expect(ids).toMatchObject({
      'get /api/orders': 'ordersList',
      'delete /api/orders/{id}': 'ordersDelete',
      'put /api/orders/one': 'ordersPut0',
      'put /api/orders/other': 'ordersPut1',
      'get /api/carts': 'cartsList',
      'get /api/carts/open': 'cartsOpen',
      'get /api/carts/named': 'findMine',
      // A controller of the same name.
      'get /api/other-carts': 'cartsListGetApiOtherCarts',
      'get /api/user': 'getOwnUser',
    });
    expect(new Set(Object.values(ids)).size).toBe(Object.keys(ids).length);
  });

  it('documents what the guard answers in front of each route, and of none that is public', () => {
    const guarded = operation('get', '/api/carts');
    const open = operation('get', '/api/carts/open');

    expect(document.security).toEqual([{ bearer: [] }]);
    expect(guarded.security).toBeUndefined();
    expect(codes(guarded, 401)).toEqual(['invalid-token', 'missing-token']);
    expect(codes(guarded, 503)).toEqual(['overloaded', 'store-unavailable']);
    expect(guarded.responses['403']).toBeUndefined();
    expect(open.security).toEqual([{}]);
    expect(codes(open, 503)).toEqual(['overloaded']);
    expect(Object.keys(open.responses)).toEqual(['200', '408', '431', '500', '503']);
  });

  it('keeps what a route says itself about an answer of the guard', () => {
    const own = operation('get', '/api/carts/own');

    expect(own.responses['401']!.description).toBe('Who are you?');
    expect(codes(own, 401)).toEqual(['invalid-token', 'missing-token']);
  });

  it('names the permissions that the guard asks for: of the method, else of the class, inherited or not', async () => {
    const permissions = (method: string, path: string): unknown =>
      operation(method, path)['x-required-permissions'];
    const { tokens } = await api.newUser();
    const get = async (path: string) => api.request('GET', path, { token: tokens.access_token });

    expect(permissions('get', '/api/orders')).toEqual(['orders:read']);
    expect(permissions('put', '/api/orders/one')).toEqual(['orders:write']);
    expect(permissions('put', '/api/carts/one')).toEqual(['orders:write']);
    expect(permissions('get', '/api/carts')).toBeUndefined();
    expect(permissions('get', '/api/other-carts')).toBeUndefined();
    expect([(await get('/api/orders')).status, (await get('/api/carts')).status]).toEqual([
      403, 200,
    ]);
    expect(operation('get', '/api/orders').description).toBe('Needs the permission `orders:read`.');
    expect(codes(operation('get', '/api/orders'), 403)).toEqual(['forbidden']);
    expect(JSON.stringify(document)).not.toContain('required-permissions"]');
  });

  it('documents what a body can lead to, where there is one', async () => {
    const { tokens } = await api.newUser();
    const put = operation('put', '/api/carts/one');
    const forbidden = await api.request('PUT', '/api/carts/one', {
      token: tokens.access_token,
      body: { what: 1 },
    });

    expect(forbidden.status).toBe(403);
    expect(codes(put, 400)).toEqual(['invalid-request', 'malformed-request']);
    expect(codes(operation('delete', '/api/carts/{id}'), 400)).toEqual(['malformed-request']);
    expect(Object.keys(put.responses)).toEqual(expect.arrayContaining(['413', '415']));
    expect(operation('get', '/api/carts').responses['400']).toBeUndefined();
  });
});

@Controller()
class RootController {
  @Public() @Get() root(): string {
    return 'ours';
  }
}
@Controller()
class WildcardController {
  @Public() @Get('*') all(): string {
    return 'all';
  }
}
@Module({ controllers: [RootController] })
class RootModule {}
@Module({ controllers: [WildcardController] })
class WildcardModule {}

describe('the root', () => {
  it.each([
    ['leads to Swagger UI', {}, {}, 302, ''],
    ['is nothing where there is none', { API_DOCS: 'off' }, {}, 404, undefined],
    ['is what a module has there', {}, { imports: [RootModule] }, 200, 'ours'],
    ['is what a module has for all', {}, { imports: [WildcardModule] }, 200, 'all'],
  ])('%s', async (_, variables, extensions, status, body) => {
    const api = await startTestApp(variables, extensions);
    const answer = await api.request<unknown>('GET', '/');
    await api.close();

    expect(answer.status).toBe(status);
    if (status === 404) {
      expect(answer.body).toMatchObject({ code: 'not-found' });
    } else {
      expect(answer.body).toBe(body);
      expect(answer.headers.get('location')).toBe(status === 302 ? 'docs' : null);
    }
  });
});

describe('roles that were added', () => {
  let api: TestApp;
  let admin: string;
  beforeAll(async () => {
    const roles = { editor: ['pages:read', 'users:read'], guest: ['pages:read'] };
    api = await startTestApp(WITH_ADMINISTRATOR, { imports: [PagesModule], roles });
    const { body } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
    admin = body.access_token;
  });
  afterAll(async () => api.close());

  it('open the routes whose permissions they give, at once, and to an administrator all', async () => {
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

  it('are the ones that a user can be given, and are in the API description', async () => {
    const { id } = await api.newUser();
    const body = { roles: ['editor', 'author'] };
    const refused = await api.request('PATCH', `/api/users/${id}`, { token: admin, body });
    const docs = await api.request<{
      components: { schemas: Record<string, { properties: { roles: unknown } }> };
    }>('GET', '/docs-json');

    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/roles', code: 'unknown-item' }] },
    });
    expect(docs.body.components.schemas['AdministerUserRequest']!.properties.roles).toMatchObject({
      items: { enum: ['editor', 'guest', 'admin'] },
    });
  });

  it('have to give what a route asks for, or nothing starts', async () => {
    const roles = { guest: ['page:read'] };

    await expect(startTestApp({}, { imports: [PagesModule], roles })).rejects.toThrow(
      'PagesController.read requires pages:read, which no role gives',
    );
  });
});
