import {
  Injectable,
  Logger,
  type ExecutionContext,
  type Type,
  type WebSocketAdapter,
} from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

import { rememberHandshake, type Handshake } from '../common/transport/index.js';
import { AccessWatch } from './access-watch.js';
import { Connection, rememberConnection } from './connections.js';
import { asProblem, isGuardError } from './guard-problem.js';
import { GuardedMessages } from './guarded-messages.js';
import { guardServer } from './web-socket-servers.js';

interface GatewayOptions {
  readonly path?: string;
  readonly namespace?: string | RegExp;
}

/**
 * Checks connections to WebSocket gateways when they open, because guards of Nest run only for messages, and closes them when
 * the access of their caller ends. Gateways with the same port, path and namespace share their connections, so all of them must accept one.
 */
@Injectable()
export class GuardedGateways {
  private readonly logger = new Logger('Guard');
  private readonly gateways = new Map<string, Type[]>();

  /** Done in the constructor, because Nest opens the servers of gateways before it calls any `onModuleInit`. */
  constructor(
    config: ApplicationConfig,
    private readonly messages: GuardedMessages,
    private readonly watch: AccessWatch,
  ) {
    for (const gateway of messages.gateways) {
      const port = (Reflect.getMetadata('port', gateway) as number | undefined) ?? 0;
      const options = Reflect.getMetadata('websockets:gateway_options', gateway) as GatewayOptions;
      const key = keyOf(port, options);
      this.gateways.set(key, [...(this.gateways.get(key) ?? []), gateway]);
    }
    if (this.gateways.size > 0) {
      // The application chooses its adapter later. Without a choice, Nest sets its default adapter in the same way.
      const setIoAdapter = config.setIoAdapter.bind(config);
      config.setIoAdapter = (adapter) => setIoAdapter(this.guarded(adapter));
    }
  }

  private guarded(adapter: WebSocketAdapter): WebSocketAdapter {
    const create = adapter.create.bind(adapter) as (
      port: number,
      options: GatewayOptions,
    ) => object;
    adapter.create = (port: number, options: GatewayOptions = {}): object => {
      const server = create(port, options);
      const gateways = this.gateways.get(keyOf(port, options));
      if (gateways && !this.guardConnections(server, gateways)) {
        this.logger.warn(
          `The guard does not know the servers of ${adapter.constructor.name}. It cannot check connections to ` +
            `${gateways.map(({ name }) => name).join(', ')} when they open, and refuses their messages.`,
        );
      }
      return server;
    };
    return adapter;
  }

  private guardConnections(server: object, gateways: readonly Type[]): boolean {
    return guardServer(server, {
      admit: async (client, handshake) => {
        rememberHandshake(client, handshake);
        for (const gateway of gateways) {
          await this.admit(connectionContext(gateway, client));
        }
      },
      opened: (client, handshake, close, onClosed) => {
        this.opened(client, handshake, close, onClosed);
      },
    });
  }

  private async admit(context: ExecutionContext): Promise<void> {
    try {
      await this.messages.guard(context);
    } catch (error) {
      if (isGuardError(error)) {
        throw asProblem(error);
      }
      this.logger.error(error);
      throw error;
    }
  }

  private opened(
    client: object,
    handshake: Handshake,
    close: Connection['close'],
    onClosed: (listener: () => void) => void,
  ): void {
    const connection = new Connection(handshake, this.watch, close);
    rememberHandshake(client, handshake);
    rememberConnection(client, connection);
    onClosed(() => connection.onClosed());
    connection.closeWithAccess();
  }
}

/** The context in which the guards decide about a connection. Its handler is the method `handleConnection` of the gateway. */
function connectionContext(gateway: Type, client: object): ExecutionContext {
  const { handleConnection } = gateway.prototype as { handleConnection?: () => void };
  const context = new ExecutionContextHost([client], gateway, handleConnection ?? noHandler);
  context.setType('ws');
  return context;
}

function noHandler(): void {
  // The gateway has no method `handleConnection` with decorators.
}

/** As Nest does: one server for each port and path, and one for each namespace of it. */
function keyOf(port: number, { path = '', namespace = '' }: GatewayOptions): string {
  const text = String(namespace);
  const hasSlash = typeof namespace !== 'string' || text === '' || text.startsWith('/');
  return JSON.stringify([port, path, hasSlash ? text : `/${text}`]);
}
