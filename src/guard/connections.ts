import type { Subscription } from 'rxjs';

import type { Principal } from '../common/authentication/index.js';
import type { Handshake } from '../common/transport/index.js';
import type { AccessEnd, AccessWatch } from './access-watch.js';

/** Why the guard closes a connection. `invalid-token`: its token is not accepted any more, for example because it has expired. */
export type ConnectionEnd = AccessEnd | 'invalid-token';

const connections = new WeakMap<object, Connection>();

/** A WebSocket connection that was opened through the guard. */
export class Connection {
  private watched: Subscription | undefined;
  private isClosed = false;

  /** @param close closes it on the side of the WebSocket library */
  constructor(
    private readonly handshake: Handshake,
    private readonly watch: AccessWatch,
    readonly close: (why: ConnectionEnd) => void,
  ) {}

  /** Closes the connection when the access of its caller ends. On a public gateway, the first guarded message finds the caller. */
  closeWithAccess(): void {
    const principal = this.handshake.user as Principal | undefined;
    if (principal && !this.watched && !this.isClosed) {
      this.watched = this.watch.endOf(principal).subscribe((why) => this.close(why));
    }
  }

  onClosed(): void {
    this.isClosed = true;
    this.watched?.unsubscribe();
  }
}

/** @param client the client of the WebSocket library */
export function connectionOf(client: object): Connection | undefined {
  return connections.get(client);
}

export function rememberConnection(client: object, connection: Connection): void {
  connections.set(client, connection);
}
