import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { WebSocket } from 'ws';

import {
  AccessWatch,
  CurrentUser,
  Public,
  RequirePermissions,
  type UserPrincipal,
} from '../../src/guard/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { itIsGuarded, serviceModule } from '../support/guarded-service.js';
import { HttpClient } from '../support/http-client.js';
import { eventually } from '../support/own-cluster.js';
import { changeAccount, createAccount, tokenOf } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { within } from '../support/within.js';

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
  @Subscription(() => String) news(): AsyncGenerator<object> {
    return onlyOne();
  }
  @Public() @Subscription(() => String) publicNews(): AsyncGenerator<object> {
    return onlyOne();
  }
}

/** Yields one value, and never ends. */
async function* onlyOne(): AsyncGenerator<object> {
  yield { news: 'first', publicNews: 'first' };
  await new Promise(() => undefined);
}

interface Result {
  readonly data: Readonly<Record<string, string>> | null;
  readonly errors?: readonly { readonly extensions: { code: string; status: number } }[];
}

@Module({
  imports: [
    GraphQLModule.forRoot<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      autoSchemaFile: true,
      subscription: { context: (_, request) => ({ req: request }) },
    }),
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

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

describe.each(Object.entries(STARTS))('a GraphQL subscription of %s', (_, start) => {
  let keyslot: TestApp;
  let app: INestApplication;
  let operator: string;
  beforeAll(async () => {
    keyslot = await startTestApp(WITH_ADMINISTRATOR);
    app = await start(keyslot);
    operator = (await keyslot.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME)).body.access_token;
  });
  afterAll(async () => {
    await app?.close();
    await keyslot.close();
  });

  /** Speaks the protocol of the package `graphql-ws`. */
  const connect = async (token?: string) => {
    const url = `${(await app.getUrl()).replace('http', 'ws')}/graphql`;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
    const received: Message[] = [];
    socket.on('message', (data: Buffer) => received.push(JSON.parse(String(data)) as Message));
    await once(socket, 'open');
    const send = (message: Message): void => socket.send(JSON.stringify(message));
    const next = async (type: string, id?: string): Promise<Message> => {
      const isIt = (one: Message): boolean => one.type === type && one.id === id;
      while (!received.some(isIt)) {
        await within(type, 5000, once(socket, 'message'));
      }
      return received.find(isIt)!;
    };
    send({ type: 'connection_init' });
    await next('connection_ack');
    return {
      next,
      received,
      subscribe: (id: string, field: string) =>
        send({ type: 'subscribe', id, payload: { query: `subscription { ${field} }` } }),
      close: async () => {
        socket.close();
        await once(socket, 'close');
      },
    };
  };
  const watched = (): number => app.get(AccessWatch).count;

  it('is refused without a token, unless it is public', async () => {
    const client = await connect();
    client.subscribe('1', 'news');
    client.subscribe('2', 'publicNews');

    expect(await client.next('error', '1')).toMatchObject({
      payload: [{ extensions: { code: 'missing-token' } }],
    });
    expect(await client.next('next', '2')).toMatchObject({
      payload: { data: { publicNews: 'first' } },
    });
    await client.close();
  });

  it('ends with the session of its user, and no other on the connection', async () => {
    const { tokens } = await keyslot.newUser();
    const client = await connect(tokens.access_token);
    client.subscribe('1', 'news');
    client.subscribe('2', 'publicNews');
    expect(await client.next('next', '1')).toMatchObject({ payload: { data: { news: 'first' } } });
    await client.next('next', '2');
    expect(watched()).toBe(1);

    await keyslot.logout(tokens.access_token);

    await client.next('complete', '1');
    expect(watched()).toBe(0);
    client.subscribe('3', 'news');
    expect(await client.next('error', '3')).toMatchObject({
      payload: [{ extensions: { code: 'invalid-token' } }],
    });
    const completed = client.received.filter(({ type }) => type === 'complete');
    expect(completed.map(({ id }) => id)).toEqual(['1']);
    await client.close();
  });

  it('ends when its service account is disabled', async () => {
    const account = await createAccount(keyslot, operator);
    const client = await connect(await tokenOf(keyslot, account));
    client.subscribe('1', 'news');
    await client.next('next', '1');

    await changeAccount(keyslot, operator, account, { disabled: true });

    await client.next('complete', '1');
    expect(watched()).toBe(0);
    await client.close();
  });

  it('is not watched any more when the client has gone', async () => {
    const { tokens } = await keyslot.newUser();
    const client = await connect(tokens.access_token);
    client.subscribe('1', 'news');
    await client.next('next', '1');
    expect(watched()).toBe(1);

    await client.close();

    await eventually('nothing is watched', 5000, () => Promise.resolve(watched() === 0));
  });
});
