import { connect, type Server, type Socket } from 'node:net';

/** The sending pattern of a slow client: its first bytes, and the bytes that it adds periodically. */
export interface SendPattern {
  readonly first: string;
  readonly drip?: string;
  readonly readsNothing?: boolean;
}

/** A client that never disconnects. The server's side of the connection shows whether it was disconnected. */
export class SlowClient {
  received = '';
  isCutOff = false;

  private constructor(
    private readonly socket: Socket,
    private readonly sendPattern: SendPattern,
  ) {}

  /** @param server the server, in this process */
  static async connect(server: Server, url: string, sendPattern: SendPattern): Promise<SlowClient> {
    const { hostname, port } = new URL(url);
    // The client's side stays open when the server closes the connection.
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const client = new SlowClient(socket, sendPattern);
    const accepted = new Promise<Socket>((resolve) => {
      const onConnection = (peer: Socket): void => {
        if (peer.remotePort === socket.localPort) {
          server.off('connection', onConnection);
          resolve(peer);
        }
      };
      server.on('connection', onConnection);
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    (await accepted).once('close', () => (client.isCutOff = true));
    client.begin();
    return client;
  }

  drip(): void {
    if (!this.isCutOff && this.sendPattern.drip !== undefined) {
      this.socket.write(this.sendPattern.drip);
    }
  }

  hangUp(): void {
    this.socket.destroy();
  }

  private begin(): void {
    // A write to a closed connection causes an error event.
    this.socket.on('error', () => undefined);
    if (this.sendPattern.readsNothing !== true) {
      this.socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
    }
    this.socket.write(this.sendPattern.first);
  }
}
