import { createApp } from '../../../src/bootstrap/create-app.js';
import { untilReady } from '../../../src/bootstrap/until-ready.js';
import { JwtAuthGuard } from '../../../src/auth/index.js';
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
    const guard: Pick<JwtAuthGuard, 'canActivate'> = app.get(JwtAuthGuard, { strict: false });
    guard.canActivate = (context) => {
      context.switchToHttp().getRequest<{ user?: UserPrincipal }>().user = principal;
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
