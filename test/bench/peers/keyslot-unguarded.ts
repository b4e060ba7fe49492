import { ApplicationConfig } from '@nestjs/core';

import { createApp } from '../../../src/bootstrap/create-app.js';
import { untilReady } from '../../../src/bootstrap/until-ready.js';
import type { UserPrincipal } from '../../../src/common/authentication/index.js';
import { loadSettings } from '../../../src/config/index.js';
import { redisNodes, runPeer, user } from './peer.js';

/** Keyslot with a guard that attributes every request to one user without a check. */
await runPeer({
  listen: async () => {
    const settings = loadSettings(process.env, 'no-such-file');
    const app = await createApp({
      ...settings,
      redis: { ...settings.redis, nodes: redisNodes() },
    });
    const principal = anyPrincipal();
    // The first of them checks the token.
    const [guard] = app.get(ApplicationConfig).getGlobalGuards();
    guard!.canActivate = (context) => {
      context.getArgByIndex<{ user?: UserPrincipal }>(0).user = principal;
      return true;
    };
    process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
    await app.listen(settings.http.port, settings.http.host);
    await untilReady(app);
    return app.getUrl();
  },
});

function anyPrincipal(): UserPrincipal {
  const { createdAt, updatedAt, ...rest } = user();
  return {
    kind: 'user',
    userId: rest.id,
    sessionId: rest.id,
    tokenId: rest.id,
    user: { ...rest, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) },
  };
}
