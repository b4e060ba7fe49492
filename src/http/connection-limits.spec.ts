import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { limitConnections, type ConnectionLimits } from './connection-limits.js';

const MUCH = Buffer.alloc(256 * 1024, 'a');
const DEADLINE_MS = 20_000;

const requests = (count: number, path = ''): string =>
  Array.from(
    { length: count },
    (_, index) => `GET /${path}${index} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ).join('');

describe('connection limits', () => {
  let server: Server;
  let accepted: Socket[];
  let clients: Socket[];
  const begin = async (
    listener: RequestListener,
    limits: Partial<ConnectionLimits> = {},
  ): Promise<void> => {
    accepted = [];
    clients = [];
    server = createServer(listener).on('connection', (socket) => accepted.push(socket));
    limitConnections(server, limits);
    await once(server.listen(0, '127.0.0.1'), 'listening');
  };
  afterEach(async () => {
    clients.forEach((client) => client.destroy());
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const client = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    clients.push(socket.on('error', () => undefined));
    await once(socket, 'connect');
    return socket;
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    const end = performance.now() + DEADLINE_MS;
    while (!isSo()) {
      expect(performance.now()).toBeLessThan(end);
      await delay(5);
    }
  };
  const read = (socket: Socket): { text: string } => {
    const received = { text: '' };
    socket.setEncoding('latin1').on('data', (text: string) => (received.text += text));
    return received;
  };

  it('let a client pipeline many requests if it reads the responses, and answer them one at a time, in order', async () => {
    const COUNT = 100;
    let [underWay, mostUnderWay] = [0, 0];
    await begin((request, response) => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      // Every second response is delayed.
      const answer = (): void => {
        underWay -= 1;
        response.end(`<${request.url}>`);
      };
      if (Number(request.url?.slice(1)) % 2 === 0) {
        answer();
      } else {
        setImmediate(answer);
      }
    });
    const socket = await client();
    const received = read(socket);

    socket.write(requests(COUNT));

    await until(() => received.text.includes(`</${COUNT - 1}>`));
    const order = [...received.text.matchAll(/<\/(\d+)>/g)].map(([, number]) => Number(number));
    expect(order).toEqual(Array.from({ length: COUNT }, (_, index) => index));
    expect(mostUnderWay).toBe(1);
  });

  it.each(['in one write', 'in many'])(
    'close the connection after the last request that may wait, and drop later requests, sent %s',
    async (how) => {
      await begin((_, response) => setImmediate(() => response.end('done')));
      let made = 0;
      server.on('request', () => (made += 1));
      const socket = await client();
      const received = read(socket);
      const isClosed = once(socket, 'close');

      if (how === 'in one write') {
        socket.write(requests(1900));
      } else {
        for (let request = 0; request < 1900; request += 1) {
          socket.write(requests(1));
        }
      }
      await isClosed;

      const answers = received.text.split('HTTP/1.1 200 OK').slice(1);
      expect(answers).toHaveLength(101);
      expect(answers.map((answer) => /connection: close/i.test(answer))).toEqual([
        ...Array.from({ length: 100 }, () => false),
        true,
      ]);
      expect(made).toBe(101);
    },
  );

  it('accept bodies that arrive in parts behind other requests', async () => {
    await begin((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => response.end(`<${Buffer.concat(parts).length}>`));
    });
    const socket = await client();
    const received = read(socket);
    const body = 'b'.repeat(150_000);

    socket.write(
      `${requests(3)}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    socket.write(requests(2));

    await until(() => (received.text.match(/<\d+>/g) ?? []).length === 6);
    expect(received.text.match(/<\d+>/g)).toEqual(['<0>', '<0>', '<0>', '<150000>', '<0>', '<0>']);
  });

  it('start no further request of a client until it reads its responses', async () => {
    const COUNT = 90;
    let begun = 0;
    await begin((_, response) => {
      begun += 1;
      response.end(MUCH);
    });
    const socket = await client();
    socket.pause();
    socket.write(requests(COUNT));
    // Bytes in the buffers of the operating system do not count.
    await until(() => accepted[0]!.writableLength > 0);
    const begunUnread = begun;
    // The server does not read further requests.
    socket.write(requests(COUNT));
    const other = await client();
    const received = read(other);
    other.write(requests(1));
    await until(() => received.text.includes('aaaa'));

    expect(begun).toBeLessThanOrEqual(begunUnread + 1);
    expect(accepted[0]!.writableLength).toBeLessThan(2 * MUCH.length);
    expect(accepted[0]!.bytesRead).toBeLessThan(70_000);

    socket.resume();
    // The other client sent one of them.
    await until(() => begun === 2 * COUNT + 1);
  });

  it('close the connection with the most waiting requests when the total exceeds the limit', async () => {
    const held: (() => void)[] = [];
    await begin((_, response) => void held.push(() => response.end('done')), {
      maxWaitingRequests: 60,
    });
    const honest = await client();
    const received = read(honest);
    honest.write(requests(11));
    await until(() => held.length === 1);
    const greedy = await Promise.all([client(), client(), client()]);
    for (const socket of greedy) {
      socket.on('data', () => undefined).write(requests(90));
    }
    await until(() => greedy.every(({ destroyed }) => destroyed));

    // Each closed connection had started one request.
    expect(held.length).toBeLessThanOrEqual(4);
    await until(() => {
      held.splice(0).forEach((answer) => answer());
      return (received.text.match(/done/g) ?? []).length === 11;
    });
  });

  it('close only the connection that leaves a response unread for too long', async () => {
    await begin((_, response) => void response.end(MUCH), {
      readTimeoutMs: 100,
      sweepIntervalMs: 20,
    });
    const [idle, deaf] = [await client(), await client()];
    deaf.pause();
    deaf.write(requests(90));

    await until(() => accepted[1]!.destroyed);

    expect(accepted[0]!.destroyed).toBe(false);
    const received = read(idle);
    idle.write(requests(1));
    await until(() => received.text.includes('aaaa'));
  });

  it('close the connections with the most unread bytes when the total exceeds the limit', async () => {
    const sizes: Record<string, number> = { '/small0': 16, '/large0': 64 };
    await begin(
      ({ url }, response) => void response.end(Buffer.alloc(sizes[url ?? '']! * 1024 * 1024)),
      { maxUnreadBytes: 40 * 1024 * 1024, sweepIntervalMs: 20 },
    );
    const [small, large] = [await client(), await client()];
    [small, large].forEach((socket) => socket.pause());
    small.write(requests(1, 'small'));
    await until(() => accepted[0]!.writableLength > 0);
    large.write(requests(1, 'large'));

    await until(() => accepted[1]!.destroyed);

    expect(accepted[0]!.destroyed).toBe(false);
  });
});
