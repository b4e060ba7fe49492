import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * The network between one instance and the nodes: a proxy for each node, which can add latency or be cut. Nodes announce
 * the addresses of other nodes; the proxy replaces these ports, so that the instance keeps using the proxies.
 */
export class Wire {
  private readonly proxies: NodeProxy[] = [];

  private constructor() {}

  static async to(nodes: readonly { readonly port: number }[]): Promise<Wire> {
    const wire = new Wire();
    for (const { port } of nodes) {
      wire.proxies.push(await NodeProxy.before(port, (text) => wire.translate(text)));
    }
    return wire;
  }

  /** The value of REDIS_NODES. */
  get addresses(): string {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  /** Delays each message in both directions, to and from one node or all nodes. */
  slowDown(ms: number, node?: number): void {
    this.proxiesOf(node).forEach((proxy) => (proxy.delayMs = ms));
  }

  /** Delays all data until the connection is restored; it is delivered then if the connection still exists. */
  cut(direction: 'both' | 'answers', node?: number): void {
    this.proxiesOf(node).forEach((proxy) => proxy.cut(direction));
  }

  restore(): void {
    this.proxies.forEach((proxy) => proxy.restore());
  }

  close(): void {
    this.proxies.forEach((proxy) => proxy.close());
  }

  private proxiesOf(node: number | undefined): readonly NodeProxy[] {
    return this.proxies.filter((proxy) => node === undefined || proxy.nodePort === node);
  }

  private translate(text: string): string {
    let translated = text;
    for (const { nodePort, port } of this.proxies) {
      translated = translated
        .replaceAll(`:${nodePort}\r\n`, `:${port}\r\n`)
        .replaceAll(`127.0.0.1:${nodePort}`, `127.0.0.1:${port}`);
    }
    return translated;
  }
}

/** The proxy of one node. */
class NodeProxy {
  delayMs = 0;
  private readonly isCut = { requests: false, answers: false };
  private readonly lanes = new Set<Lane>();
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly nodePort: number,
    private readonly server: Server,
    private readonly translate: (text: string) => string,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async before(nodePort: number, translate: (text: string) => string): Promise<NodeProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new NodeProxy(nodePort, server, translate);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(direction: 'both' | 'answers'): void {
    this.isCut.answers = true;
    this.isCut.requests = direction === 'both';
  }

  restore(): void {
    this.isCut.answers = this.isCut.requests = false;
    this.delayMs = 0;
    this.lanes.forEach((lane) => lane.move());
  }

  close(): void {
    this.server.close();
    this.sockets.forEach((socket) => socket.destroy());
  }

  private join(client: Socket): void {
    const node = connect(this.nodePort, '127.0.0.1');
    const requests = this.lane(client, node, () => this.isCut.requests);
    const answers = this.lane(node, client, () => this.isCut.answers);
    client.on('data', (data: Buffer) => requests.add(() => node.write(data), this.delayMs));
    let rest = '';
    node.on('data', (data: Buffer) => {
      // Only complete lines, because a port could be split between two chunks. Every reply ends with a line end.
      const text = rest + data.toString('latin1');
      const end = text.lastIndexOf('\r\n') + 2;
      rest = end > 1 ? text.slice(end) : text;
      const whole = end > 1 ? this.translate(text.slice(0, end)) : '';
      answers.add(() => client.write(whole, 'latin1'), this.delayMs);
    });
  }

  private lane(from: Socket, to: Socket, isCut: () => boolean): Lane {
    const lane = new Lane(isCut);
    this.lanes.add(lane);
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      // After all earlier data, even if the client has stopped waiting for it.
      lane.add(() => {
        this.lanes.delete(lane);
        to.end();
      }, this.delayMs);
    });
    return lane;
  }
}

/** One direction of one connection, which keeps its chunks in order. */
class Lane {
  private readonly pieces: { readonly dueAt: number; readonly send: () => void }[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly isCut: () => boolean) {}

  add(send: () => void, delayMs: number): void {
    this.pieces.push({ dueAt: performance.now() + delayMs, send });
    this.move();
  }

  move(): void {
    clearTimeout(this.timer);
    while (!this.isCut() && this.pieces.length > 0) {
      const waitMs = this.pieces[0]!.dueAt - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.move(), waitMs);
        return;
      }
      this.pieces.shift()!.send();
    }
  }
}
