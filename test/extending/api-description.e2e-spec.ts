import { Body, Controller, Delete, Get, Module, Put } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiUnauthorizedResponse } from '@nestjs/swagger';
import { IsString } from 'class-validator';

import { Public, RequirePermissions } from '../../src/common/authentication/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

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
/** Inherits all its routes, and requires a permission for the whole class. */
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
const SecondCartsController = (() => {
  @Controller('api/other-carts')
  class CartsController {
    @Get() list(): string[] {
      return [];
    }
  }
  return CartsController;
})();
@Module({ controllers: [OrdersController, CartsController, SecondCartsController] })
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

describe('the API description of an application with its own routes', () => {
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

  it('contains the title and the description of the application, and no license', async () => {
    const page = await api.request<string>('GET', '/docs');

    expect(document.info).toEqual({
      title: 'Orders',
      version: '2.3.4',
      description: 'Of tea.',
      contact: {},
    });
    expect(page.body).toContain('<title>Orders</title>');
  });

  it('names operations by controller and method, without reserved words or duplicates', () => {
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
      // A controller with the same name.
      'get /api/other-carts': 'cartsListGetApiOtherCarts',
      'get /api/user': 'getOwnUser',
    });
    expect(new Set(Object.values(ids)).size).toBe(Object.keys(ids).length);
  });

  it('documents the responses of the guard for each guarded route, but not for public routes', () => {
    const guarded = operation('get', '/api/carts');
    const open = operation('get', '/api/carts/open');

    expect(document.security).toEqual([{ bearer: [] }]);
    expect(guarded.security).toBeUndefined();
    expect(codes(guarded, 401)).toEqual(['invalid-token', 'missing-token']);
    expect(codes(guarded, 503)).toEqual(['overloaded', 'store-unavailable']);
    expect(codes(guarded, 403)).toEqual(['second-factor-enrolment-required']);
    expect(open.security).toEqual([{}]);
    expect(codes(open, 503)).toEqual(['overloaded']);
    expect(Object.keys(open.responses)).toEqual(['200', '408', '431', '500', '503']);
  });

  it('keeps what a route documents about a response of the guard', () => {
    const own = operation('get', '/api/carts/own');

    expect(own.responses['401']!.description).toBe('Who are you?');
    expect(codes(own, 401)).toEqual(['invalid-token', 'missing-token']);
  });

  it('names the permissions that the guard requires: those of the method, otherwise of the class, inherited or not', async () => {
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
    expect(operation('get', '/api/orders').description).toBe(
      'Requires the permission `orders:read`.',
    );
    expect(codes(operation('get', '/api/orders'), 403)).toEqual([
      'forbidden',
      'second-factor-enrolment-required',
    ]);
    expect(JSON.stringify(document)).not.toContain('required-permissions"]');
  });

  it('documents errors caused by the body, for routes with a body', async () => {
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

describe('the root path', () => {
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
