import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  RpcException,
  Transport,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';

import {
  CurrentUser,
  Public,
  RequirePermissions,
  type UserPrincipal,
} from '../../src/guard/index.js';
import { freePort } from '../support/free-port.js';
import { itIsGuarded, serviceModule, type GuardedCalls } from '../support/guarded-service.js';
import { eventually } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const events: string[] = [];

@Controller()
class NotesController {
  @MessagePattern('own') own(@CurrentUser() { user }: UserPrincipal): string {
    return user.username;
  }
  @RequirePermissions('notes:review') @MessagePattern('drafts') drafts(): string {
    return 'drafts';
  }
  @Public() @MessagePattern('open') open(@CurrentUser() user?: UserPrincipal): string {
    return typeof user;
  }
  @Public() @MessagePattern('order') order(): void {
    throw new RpcException({ status: 'error', code: 'out-of-stock', message: 'no chairs' });
  }
  @EventPattern('changed') changed(@CurrentUser() { user }: UserPrincipal): void {
    events.push(user.username);
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

async function optionsOf(): Promise<MicroserviceOptions & { options: { port: number } }> {
  return { transport: Transport.TCP, options: { host: '127.0.0.1', port: await freePort() } };
}

const STARTS = {
  'connected with inheritAppConfig': async (keyslot: TestApp) => hybrid(keyslot, true),
  'connected without inheritAppConfig': async (keyslot: TestApp) => hybrid(keyslot, false),
  'of an application that extends Keyslot': async ({ keyPrefix }: TestApp) => {
    const options = await optionsOf();
    const { app } = await startTestApp(
      { REDIS_KEY_PREFIX: keyPrefix },
      {
        imports: [NotesModule],
        configure: async (own) => {
          own.connectMicroservice<MicroserviceOptions>(options, { inheritAppConfig: true });
          await own.startAllMicroservices();
        },
      },
    );
    return callsTo(app, options.options.port);
  },
  alone: async (keyslot: TestApp) => {
    const service = serviceModule(keyslot, { controllers: [NotesController] });
    const options = await optionsOf();
    const app = await NestFactory.createMicroservice(service, { ...options, logger: false });
    await app.listen();
    return callsTo(app, options.options.port);
  },
};

async function hybrid(keyslot: TestApp, inheritAppConfig: boolean): Promise<MessageCalls> {
  const service = serviceModule(keyslot, { controllers: [NotesController] });
  const app = await NestFactory.create(service, { logger: false });
  const options = await optionsOf();
  app.connectMicroservice<MicroserviceOptions>(options, { inheritAppConfig });
  await app.startAllMicroservices();
  await app.init();
  return callsTo(app, options.options.port);
}

interface MessageCalls extends GuardedCalls {
  readonly call: (pattern: string, token?: string) => Promise<string>;
  emit(token?: string): Promise<void>;
}

function callsTo(app: { close(): Promise<unknown> }, port: number): MessageCalls {
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  const payload = (token?: string): object =>
    token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const call: MessageCalls['call'] = async (pattern, token) => {
    try {
      return await lastValueFrom(client.send<string>(pattern, payload(token)));
    } catch (error) {
      expect(error).toMatchObject({ status: 'error', message: expect.stringMatching(/ /) });
      return (error as { code: string }).code;
    }
  };
  return {
    call,
    emit: async (token) => {
      await lastValueFrom(client.emit('changed', payload(token)), { defaultValue: undefined });
    },
    close: async () => {
      await client.close();
      await app.close();
    },
  };
}

describe.each(Object.entries(STARTS))('the guard of a microservice %s', (_, start) => {
  let service: MessageCalls;
  let keyslot: TestApp;
  itIsGuarded(async (at) => {
    keyslot = at;
    return (service = await start(at));
  });

  it('leaves the exceptions of the handler to Nest', async () => {
    expect(await service.call('order')).toBe('out-of-stock');
  });

  it('drops events without an accepted token', async () => {
    const [ended, other] = await Promise.all([keyslot.newUser(), keyslot.newUser()]);
    const { access_token: token } = ended.tokens;
    expect(await service.call('own', token)).toBe(ended.username);
    await keyslot.logout(token);
    events.splice(0);

    await service.emit();
    await service.emit(token);
    await service.emit(other.tokens.access_token);

    await eventually('an event is handled', 5000, () => Promise.resolve(events.length > 0));
    expect(events).toEqual([other.username]);
  });
});
