// A service of another team: it checks the tokens of a Keyslot cluster and has nothing else of Keyslot. The built code in a
// process of its own, so that the test can see what it loads.
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import { loadSettings } from '../../dist/config/index.js';
import { CurrentUser, KeyslotGuardModule, RequirePermissions } from '../../dist/guard/index.js';
import { NearCache } from '../../dist/near-cache/index.js';

const { redis, jwt } = loadSettings();

class NotesController {
  own({ user }) {
    return { kind: user.kind, username: user.user.username };
  }

  drafts() {
    return [];
  }

  /** Native code that this process has loaded, before and after it has loaded what hashes passwords. */
  async natives() {
    const before = nativeModules();
    await import('../../dist/users/index.js');
    return { before, after: nativeModules() };
  }
}
Controller('notes')(NotesController);
const route = (name, path, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(NotesController.prototype, name);
  [Get(path), ...decorators].forEach((each) => each(NotesController.prototype, name, descriptor));
};
route('own', 'own');
Req()(NotesController.prototype, 'own', 0);
route('drafts', 'drafts', RequirePermissions('notes:review'));
CurrentUser()(NotesController.prototype, 'drafts', 0);
route('natives', 'natives');

function nativeModules() {
  process.report.excludeNetwork = true;
  const { sharedObjects } = process.report.getReport();
  return sharedObjects.filter((path) => path.endsWith('.node'));
}

class ServiceModule {}
Module({
  imports: [
    KeyslotGuardModule.forRoot({
      redis,
      audience: 'keyslot',
      issuer: jwt.issuer,
      roles: { reviewer: ['notes:review'] },
    }),
  ],
  controllers: [NotesController],
})(ServiceModule);

const app = await NestFactory.create(ServiceModule, new FastifyAdapter(), { logger: false });
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT), '127.0.0.1');
await app.get(NearCache).untilTrusted();
console.log(`  API         ${await app.getUrl()}/api`);
