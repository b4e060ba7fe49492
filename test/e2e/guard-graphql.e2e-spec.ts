import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import {
  CurrentUser,
  Public,
  RequirePermissions,
  type UserPrincipal,
} from '../../src/guard/index.js';
import { itIsGuarded, serviceModule } from '../support/guarded-service.js';
import { HttpClient } from '../support/http-client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

@Resolver()
class NotesResolver {
  @Query(() => String) own(@CurrentUser() { user }: UserPrincipal): string {
    return user.username;
  }
  @RequirePermissions('notes:review') @Query(() => String) drafts(): string {
    return 'drafts';
  }
  @Public() @Query(() => String) open(@CurrentUser() user?: UserPrincipal): string {
    return typeof user;
  }
}

interface Result {
  readonly data: Readonly<Record<string, string>> | null;
  readonly errors?: readonly { readonly extensions: { code: string; status: number } }[];
}

@Module({
  imports: [
    GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true }),
  ],
  providers: [NotesResolver],
})
class NotesModule {}

const STARTS: Readonly<Record<string, (keyslot: TestApp) => Promise<INestApplication>>> = {
  'a service': async (keyslot) => {
    const service = serviceModule(keyslot, { imports: [NotesModule] });
    const app = await NestFactory.create(service, new FastifyAdapter(), { logger: false });
    return app.listen(0, '127.0.0.1').then(() => app);
  },
  'an application that extends Keyslot': async ({ keyPrefix }) => {
    const { app } = await startTestApp({ REDIS_KEY_PREFIX: keyPrefix }, { imports: [NotesModule] });
    return app;
  },
};

describe.each(Object.entries(STARTS))('the guard of GraphQL resolvers of %s', (_, start) => {
  itIsGuarded(async (keyslot) => {
    const app = await start(keyslot);
    const client = new HttpClient(await app.getUrl());
    return {
      call: async (handler, token) => {
        const options = { body: { query: `{ ${handler} }` }, ...(token ? { token } : {}) };
        const { body } = await client.request<Result>('POST', '/graphql', options);
        return body.data?.[handler] ?? body.errors![0]!.extensions.code;
      },
      close: () => app.close(),
    };
  });
});
