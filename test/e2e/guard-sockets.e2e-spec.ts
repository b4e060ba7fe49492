import { jest } from '@jest/globals';
import { Logger, type ExecutionContext, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { once, type EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { NEVER } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';

import {
  AccessWatch,
  CurrentUser,
  JwtAuthGuard,
  principalOfClient,
  Public,
  requestOf,
  RequirePermissions,
  type GuardedRequest,
  type UserPrincipal,
} from '../../src/guard/index.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { itIsGuarded, serviceModule } from '../support/guarded-service.js';
import type { Tokens } from '../support/http-client.js';
import { newPrefix } from '../support/near-cache.js';
import { changeAccount, createAccount, tokenOf } from '../support/service-accounts.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { within } from '../support/within.js';

/** Names of the users whose connections have reached a gateway, and the messages that have reached a handler. */
const reached: { connections: unknown[]; messages: string[] } = { connections: [], messages: [] };

class NotesHandlers implements OnGatewayConnection<object> {
  handleConnection(client: object): void {
    const principal = principalOfClient(client);
    reached.connections.push(principal?.kind === 'user' && principal.user.username);
  }
  @SubscribeMessage('own') own(@CurrentUser() { user }: UserPrincipal): object {
    reached.messages.push(user.username);
    return { event: 'answer', data: user.username };
  }
  @RequirePermissions('notes:review') @SubscribeMessage('drafts') drafts(): object {
    return { event: 'answer', data: 'drafts' };
  }
}
@WebSocketGateway({ path: '/notes' })
class NotesGateway extends NotesHandlers {}
/** Shares its connections with a gateway that is not public. */
@Public()
@WebSocketGateway({ path: '/notes' })
class SharingGateway {}
@Public()
@WebSocketGateway({ path: '/open' })
class OpenGateway {
  @SubscribeMessage('open') open(@CurrentUser() user?: UserPrincipal): object {
    return { event: 'answer', data: typeof user };
  }
}
@RequirePermissions('notes:review')
@WebSocketGateway({ path: '/drafts' })
class DraftsGateway {}
@WebSocketGateway({ namespace: 'notes' })
class NotesNamespace extends NotesHandlers {}
@Public()
@WebSocketGateway({ namespace: '/notes' })
class SharingNamespace {}
@Public()
@WebSocketGateway({ namespace: 'open' })
class OpenNamespace extends OpenGateway {}
@RequirePermissions('notes:review')
@WebSocketGateway({ namespace: '/drafts' })
class DraftsNamespace {}

/** A connection, for any library. */
interface Connected {
  /** @returns the answer, or the code of the refusal */
  send(event: string): Promise<string>;
  /** The code and reason with which the server closed the connection. */
  readonly closed: Promise<string>;
  close(): void;
}
/** @throws Error whose message is the code of the problem, when the connection is refused */
type Connect = (url: string, path: string, token?: string) => Promise<Connected>;

interface Message {
  readonly event: string;
  readonly data: string | { readonly status: string; readonly code: string };
}
const resultOf = ({ data }: Message): string => (typeof data === 'string' ? data : data.code);

const bearer = (token?: string): { authorization: string } | Record<never, never> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

const connectWs: Connect = async (url, path, token) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/${path}`, { headers: bearer(token) });
  socket.once('unexpected-response', (_, response) => {
    void (async () => {
      const chunks = await response.toArray();
      const { code } = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as { code: string };
      socket.emit('error', new Error(`${response.statusCode} ${code}`));
    })();
  });
  await once(socket, 'open');
  return connectionOf(socket);
};

function connectionOf(socket: WebSocket): Connected {
  return {
    send: async (event) => {
      const answer = once(socket, 'message');
      socket.send(JSON.stringify({ event, data: 'data' }));
      return resultOf(JSON.parse(String((await answer)[0])) as Message);
    },
    closed: once(socket, 'close').then(([code, reason]) => `${String(code)} ${String(reason)}`),
    close: () => socket.close(),
  };
}

const socketIoWith =
  (options: (token?: string) => object): Connect =>
  async (url, path, token) => {
    const socket: Socket = io(`${url}/${path}`, { reconnection: false, ...options(token) });
    const next = async (event: string): Promise<unknown> =>
      new Promise((resolve) => socket.once(event, resolve));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (error: Error & { data?: { status: number; code: string } }) =>
        reject(new Error(error.data ? `${error.data.status} ${error.data.code}` : error.message)),
      );
    });
    return {
      send: async (event) => {
        const answer = Promise.race(['answer', 'exception'].map(next));
        socket.emit(event, 'data');
        return resultOf({ event, data: (await answer) as Message['data'] });
      },
      closed: next('disconnect').then(String),
      close: () => socket.close(),
    };
  };

const LIBRARIES = {
  ws: {
    adapter: WsAdapter,
    gateways: [NotesGateway, SharingGateway, OpenGateway, DraftsGateway],
    connect: connectWs,
    ended: '4401 ended',
    refused: '4401 invalid-token',
    stopping: '1001 stopping',
  },
  'Socket.IO': {
    adapter: IoAdapter,
    gateways: [NotesNamespace, SharingNamespace, OpenNamespace, DraftsNamespace],
    connect: socketIoWith((token) => ({ auth: { token } })),
    ended: 'io server disconnect',
    refused: 'io server disconnect',
    stopping: 'io server disconnect',
  },
};

describe.each(['ws', 'Socket.IO'] as const)('the guard of gateways with %s', (library) => {
  const { adapter, gateways, connect, ended, refused, stopping } = LIBRARIES[library];
  let keyslot: TestApp;
  const listen = async (app: INestApplication): Promise<INestApplication> => {
    app.useWebSocketAdapter(new adapter(app));
    return app.listen(0, '127.0.0.1').then(() => app);
  };
  const create = async (at: TestApp): Promise<INestApplication> =>
    listen(await NestFactory.create(serviceModule(at, { providers: gateways }), { logger: false }));

  describe('for each message', () => {
    itIsGuarded(async (at) => {
      const app = await create(at);
      const url = await app.getUrl();
      const open = new Map<string | undefined, Connected>();
      return {
        call: async (handler, token) => {
          try {
            const path = handler === 'open' ? 'open' : 'notes';
            const connection = open.get(token) ?? (await connect(url, path, token));
            open.set(token, connection);
            // The logout also closes the connection. Either may come first.
            const end = connection.closed.then((why) => (why === ended ? 'invalid-token' : why));
            return await within('answer', 5000, Promise.race([connection.send(handler), end]));
          } catch (error) {
            return (error as Error).message.replace(/^\d+ /, '');
          }
        },
        close: async () => {
          open.forEach((connection) => connection.close());
          await app.close();
        },
      };
    });
  });

  describe('for connections', () => {
    let app: INestApplication;
    let url: string;
    let tokens: Tokens;
    let username: string;
    beforeAll(async () => {
      keyslot = await startTestApp(WITH_ADMINISTRATOR);
      app = await create(keyslot);
      url = await app.getUrl();
    });
    afterAll(async () => Promise.all([app?.close(), keyslot.close()]));
    beforeEach(async () => {
      ({ tokens, username } = await keyslot.newUser());
      reached.connections.splice(0);
      reached.messages.splice(0);
    });
    const refusal = async (path: string, token?: string, by = connect): Promise<string> =>
      within('refusal', 5000, by(url, path, token)).then(
        () => 'accepted',
        (error: Error) => error.message,
      );

    it('refuses one without an accepted token, and the gateway does not see it', async () => {
      expect(await refusal('notes')).toBe('401 missing-token');
      expect(await refusal('notes', 'e30.e30.c2ln')).toBe('401 invalid-token');
      expect(await refusal(`notes?token=${tokens.access_token}`)).toBe('401 missing-token');
      expect(await refusal('drafts', tokens.access_token)).toBe('403 forbidden');
      await keyslot.logout(tokens.access_token);
      expect(await refusal('notes', tokens.access_token)).toBe('401 invalid-token');
      expect(reached.connections).toEqual([]);
    });

    it('refuses one with 503 when Redis cannot decide', async () => {
      const options = { keyPrefix: newPrefix() };
      const service = serviceModule(keyslot, { providers: gateways }, options);
      const undecided = await listen(await NestFactory.create(service, { logger: false }));
      const reason = within(
        'refusal',
        5000,
        connect(await undecided.getUrl(), 'notes', 'e30.e30.c2ln'),
      );

      await expect(reason).rejects.toThrow('503 store-unavailable');
      await undecided.close();
    });

    it('tells the gateway who has connected', async () => {
      const connection = await connect(url, 'notes', tokens.access_token);

      expect(reached.connections).toEqual([username]);
      connection.close();
    });

    it('closes it when its session ends, without a message, and no other', async () => {
      const { body: other } = await keyslot.login(username);
      const connection = await connect(url, 'notes', tokens.access_token);
      const remaining = await connect(url, 'notes', other.access_token);
      expect(app.get(AccessWatch).count).toBe(2);

      await keyslot.logout(tokens.access_token);

      expect(await within('close', 5000, connection.closed)).toBe(ended);
      expect(await remaining.send('own')).toBe(username);
      expect(app.get(AccessWatch).count).toBe(1);
      remaining.close();
    });

    it('closes it when its service account is disabled, without a message', async () => {
      const { body: operator } = await keyslot.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
      const account = await createAccount(keyslot, operator.access_token);
      const connection = await connect(url, 'notes', await tokenOf(keyslot, account));

      await changeAccount(keyslot, operator.access_token, account, { disabled: true });

      expect(await within('close', 5000, connection.closed)).toBe(ended);
    });

    it('refuses a message after the logout, also while the connection is not closed yet', async () => {
      const service = serviceModule(keyslot, { providers: gateways });
      const testing = await Test.createTestingModule({ imports: [service] })
        // The end of the session is never noticed.
        .overrideProvider(AccessWatch)
        .useValue({ endOf: () => NEVER })
        .compile();
      const late = await listen(testing.createNestApplication({ logger: false }));
      const connection = await connect(await late.getUrl(), 'notes', tokens.access_token);
      expect(await connection.send('own')).toBe(username);

      await keyslot.logout(tokens.access_token);

      expect(await connection.send('own')).toBe('invalid-token');
      expect(reached.messages).toEqual([username]);
      // The token cannot become valid again.
      expect(await within('close', 5000, connection.closed)).toBe(refused);
      await late.close();
    });

    it('uses the replacement of a test', async () => {
      const client = { kind: 'client', clientId: 'test', permissions: ['notes:review'] };
      const service = serviceModule(keyslot, { providers: gateways });
      const testing = await Test.createTestingModule({ imports: [service] })
        .overrideGuard(JwtAuthGuard)
        .useValue({
          canActivate: (context: ExecutionContext): boolean => {
            requestOf(context)!.user = client;
            return true;
          },
        })
        // There is no such service account.
        .overrideProvider(AccessWatch)
        .useValue({ endOf: () => NEVER })
        .compile();
      const replaced = await listen(testing.createNestApplication({ logger: false }));
      const connection = await connect(await replaced.getUrl(), 'notes');

      expect(await connection.send('drafts')).toBe('drafts');
      connection.close();
      await replaced.close();
    });

    it('closes all when the service stops', async () => {
      const service = await create(keyslot);
      const connection = await connect(await service.getUrl(), 'notes', tokens.access_token);

      await service.close();

      expect(await within('close', 5000, connection.closed)).toBe(stopping);
    });
  });

  if (library === 'ws') {
    it('refuses the messages of an adapter that it does not know, and warns at the start', async () => {
      class OtherAdapter extends WsAdapter {
        override create(port: number, options?: object): object {
          const server = super.create(port, options) as EventEmitter & { close(): void };
          return { on: server.on.bind(server), close: server.close.bind(server) };
        }
      }
      keyslot = await startTestApp();
      const warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
      const service = serviceModule(keyslot, { providers: [NotesGateway] });
      const app = await NestFactory.create(service, { logger: false });
      app.useWebSocketAdapter(new OtherAdapter(app));
      await app.listen(0, '127.0.0.1');
      const warned = warnings.mock.calls.map(([text]) => text as unknown);
      warnings.mockRestore();
      const { tokens } = await keyslot.newUser();
      const connection = await connect(await app.getUrl(), 'notes', tokens.access_token);

      expect(await connection.send('own')).toBe('missing-token');
      expect(warned).toContainEqual(expect.stringMatching(/OtherAdapter.* NotesGateway /));
      connection.close();
      await Promise.all([app.close(), keyslot.close()]);
    });

    it('calls the verifyClient of a gateway, and survives its error', async () => {
      const asked: unknown[] = [];
      const verifyClient = ({ req }: { req: IncomingMessage }): boolean => {
        asked.push(req.url);
        throw new Error('the function has failed');
      };
      @WebSocketGateway({ path: '/failing', verifyClient })
      class FailingGateway {}
      keyslot = await startTestApp();
      const service = serviceModule(keyslot, { providers: [FailingGateway, NotesGateway] });
      const app = await listen(await NestFactory.create(service, { logger: false }));
      const url = await app.getUrl();
      const { tokens, username } = await keyslot.newUser();

      await expect(connect(url, 'failing')).rejects.toThrow('401 missing-token');
      expect(asked).toEqual([]);
      await expect(connect(url, 'failing', tokens.access_token)).rejects.toThrow('hang up');
      expect(asked).toEqual(['/failing']);
      const connection = await connect(url, 'notes', tokens.access_token);
      expect(await connection.send('own')).toBe(username);
      connection.close();
      await Promise.all([app.close(), keyslot.close()]);
    });

    it('can read the token from a subprotocol, which browsers can send', async () => {
      class BrowserGuard extends JwtAuthGuard {
        override getRequest(context: ExecutionContext): GuardedRequest | undefined {
          const protocols = super.getRequest(context)?.headers?.['sec-websocket-protocol'] ?? '';
          const token = protocols.split(',')[1]?.trim() ?? '';
          return { headers: { authorization: `Bearer ${token}` } };
        }
      }
      keyslot = await startTestApp();
      const service = serviceModule(keyslot, { providers: gateways }, { guard: BrowserGuard });
      const app = await listen(await NestFactory.create(service, { logger: false }));
      const { tokens, username } = await keyslot.newUser();
      const url = (await app.getUrl()).replace('http', 'ws');
      const socket = new WebSocket(`${url}/notes`, ['notes', tokens.access_token]);
      await once(socket, 'open');

      const connection = connectionOf(socket);
      expect([socket.protocol, await connection.send('own')]).toEqual(['notes', username]);
      await keyslot.logout(tokens.access_token);
      expect(await within('close', 5000, connection.closed)).toBe(ended);
      await expect(connect(await app.getUrl(), 'notes', tokens.access_token)).rejects.toThrow(
        '401 missing-token',
      );
      await Promise.all([app.close(), keyslot.close()]);
    });
  }

  if (library === 'Socket.IO') {
    it('recovers no connection without asking the guard, and so sends no missed message', async () => {
      @WebSocketGateway({ connectionStateRecovery: {} })
      class RecoveringGateway extends NotesHandlers {}
      keyslot = await startTestApp();
      const service = serviceModule(keyslot, { providers: [RecoveringGateway] });
      const app = await listen(await NestFactory.create(service, { logger: false }));
      const { tokens } = await keyslot.newUser();
      const client = io(await app.getUrl(), {
        auth: { token: tokens.access_token },
        reconnectionDelay: 10,
      });
      client.emit('own');
      await new Promise((resolve) => client.once('answer', resolve));

      await keyslot.logout(tokens.access_token);
      // The server may have closed it already.
      client.io.engine.close();
      const refused = new Promise((resolve) => client.once('connect_error', resolve));
      client.connect();

      expect(await within('refusal', 5000, refused)).toMatchObject({
        data: { code: 'invalid-token' },
      });
      expect(client.recovered).toBeFalsy();
      client.close();
      await Promise.all([app.close(), keyslot.close()]);
    });

    it('also accepts the token in a header, but not two tokens', async () => {
      keyslot = await startTestApp();
      const app = await create(keyslot);
      const { tokens, username } = await keyslot.newUser();
      const withHeader = socketIoWith((token) => ({ extraHeaders: bearer(token) }));
      const withBoth = socketIoWith((token) => ({ extraHeaders: bearer(token), auth: { token } }));

      const connection = await withHeader(await app.getUrl(), 'notes', tokens.access_token);
      expect(await connection.send('own')).toBe(username);
      connection.close();
      await expect(withBoth(await app.getUrl(), 'notes', tokens.access_token)).rejects.toThrow(
        '401 invalid-token',
      );
      await Promise.all([app.close(), keyslot.close()]);
    });
  }
});
