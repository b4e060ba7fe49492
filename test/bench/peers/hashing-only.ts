import { fastify } from 'fastify';

import { Deadline } from '../../../src/common/deadline/index.js';
import { Secret } from '../../../src/common/secret/index.js';
import { Argon2PasswordHasher, HashingQueue } from '../../../src/users/index.js';
import { PASSWORD } from '../seeded-session.js';
import { runPeer } from './peer.js';

/** The minimum of a login: only Keyslot’s check of a password. */
await runPeer({
  listen: async () => {
    const hasher = new HashingQueue(new Argon2PasswordHasher(), {});
    const hash = await hasher.hash(new Secret(PASSWORD), Deadline.none);
    const app = fastify({ logger: false });
    app.post<{ Body: { password: string } }>('/api/login', async ({ body }) => ({
      isRight: await hasher.verify(hash, new Secret(body.password), Deadline.none),
    }));
    return app.listen({ port: 0, host: '127.0.0.1' });
  },
});
