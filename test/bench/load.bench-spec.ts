import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { login, ownUser, rename, writeRequests, type LoadRequest } from './request-list.js';
import { runWrk, type Load } from './wrk.js';

const SESSION = { username: 'ada', header: 'Authorization: Bearer a.b.c', refreshToken: 'r' };

describe('the load', () => {
  let directory: string;
  let server: Server;
  let received: { method: string | undefined; header: unknown; body: string }[];
  let status: number;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keyslot-load-'));
    received = [];
    status = 200;
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        received.push({ method: request.method, header: request.headers.authorization, body });
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(directory, { recursive: true });
  });

  const send = async (requests: readonly LoadRequest[], changes: Partial<Load> = {}) => {
    const file = join(directory, 'requests');
    writeRequests(file, requests);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return runWrk({ url, file, order: 'once', seconds: 1, connections: 1, ...changes });
  };
  const fresh = (count: number) =>
    Array.from({ length: count }, (_, index) => ownUser(`Authorization: Bearer ${index}`));

  it('contains each kind of request exactly as listed', async () => {
    // wrk sends the first request once more, as a probe.
    await send([
      ownUser(SESSION.header),
      ownUser(SESSION.header),
      login(SESSION),
      rename(SESSION, 'Ä'),
    ]);

    expect(received.slice(0, 3)).toEqual([
      { method: 'GET', header: 'Bearer a.b.c', body: '' },
      {
        method: 'POST',
        header: undefined,
        body: '{"username":"ada","password":"violet engines hum at dawn"}',
      },
      { method: 'PATCH', header: 'Bearer a.b.c', body: '{"displayName":"Ä"}' },
    ]);
  });

  it('sends each one-time request at most once, and stops at the end of the list', async () => {
    const { requests, durationMicros } = await send(fresh(50), { connections: 5, seconds: 3 });

    const headers = received.map(({ header }) => header);
    expect(new Set(headers).size).toBe(headers.length);
    expect(requests).toBeLessThan(50);
    expect(requests).toBeGreaterThan(40);
    expect(durationMicros).toBeLessThan(3_000_000);
  });

  it('starts again at the end of a cyclic list', async () => {
    const { requests } = await send(fresh(2), { order: 'cycle' });

    expect(requests).toBeGreaterThan(10);
    expect(new Set(received.map(({ header }) => header)).size).toBe(2);
  });

  it('is invalid when a request was refused', async () => {
    status = 401;

    await expect(send(fresh(50))).rejects.toThrow(/not every request succeeded: status \d+/);
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}
