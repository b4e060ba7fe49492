import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCluster } from 'redis';

import { inBatches } from '../batches.js';
import {
  PEER_SECRET,
  redisNodes,
  runPeer,
  SESSION_SECONDS,
  user,
  variable,
  type UserBody,
} from './peer.js';

declare module 'express-session' {
  interface SessionData {
    user: UserBody;
  }
}

/** Sessions in Redis, identified by a cookie. The session contains the user, so that one look-up returns both. */
async function listen(): Promise<string> {
  const client = createCluster({
    rootNodes: redisNodes().map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
    defaults: { password: variable('REDIS_PASSWORD') },
  });
  await client.connect();
  const app = express();
  app.disable('x-powered-by');
  app.use(
    session({
      store: new RedisStore({ client, prefix: `${variable('REDIS_KEY_PREFIX')}session:` }),
      secret: PEER_SECRET,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: SESSION_SECONDS * 1000 },
    }),
  );
  const fixture = user();
  app.post('/api/login', (request, response) => {
    request.session.user = fixture;
    response.sendStatus(204);
  });
  app.get('/api/user', (request, response) => {
    if (request.session.user) {
      response.json(request.session.user);
    } else {
      response.sendStatus(401);
    }
  });
  const server = await new Promise<Server>((done) => {
    const listening: Server = app.listen(0, '127.0.0.1', () => done(listening));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

await runPeer({
  listen,
  seed: async (count) => {
    const url = await listen();
    return inBatches(count, async () => {
      const { headers } = await fetch(`${url}/api/login`, { method: 'POST' });
      const [cookie] = headers.getSetCookie()[0]?.split(';') ?? [];
      return `Cookie: ${cookie}`;
    });
  },
});
