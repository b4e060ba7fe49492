import {
  BadRequestException,
  ConflictException,
  Controller,
  Get,
  HttpException,
  Module,
  NotFoundException,
  ServiceUnavailableException,
  UnprocessableEntityException,
} from '@nestjs/common';

import { RequirePermissions } from '../../src/common/authentication/index.js';
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
}

@Module({ controllers: [AddedController] })
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
