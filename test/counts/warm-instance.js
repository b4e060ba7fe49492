// One instance, the built code in a process of its own, that tells how much it has allocated. It is started with
// --expose-gc, with room for the young generation so that nothing is collected while it counts, and without the compilers
// that leave allocations out when they have had time to see that nobody needs them: what is counted is what the source says.
import { ApplicationConfig } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

import { AccessTokenValidator } from '../../dist/auth/index.js';
import { createApp } from '../../dist/bootstrap/create-app.js';
import { untilReady } from '../../dist/bootstrap/until-ready.js';
import { Clock } from '../../dist/common/clock/index.js';
import { loadSettings } from '../../dist/config/index.js';
import { OwnUserController } from '../../dist/users/own-user.controller.js';

const ROUNDS = 20;

const app = await createApp(loadSettings());
await app.listen(0, '127.0.0.1');
await untilReady(app);

const validator = app.get(AccessTokenValidator);
const guards = app.get(ApplicationConfig).getGlobalGuards();

/** As the framework hands it to a guard. */
function contextOf(request) {
  return new ExecutionContextHost([request], OwnUserController, OwnUserController.prototype.read);
}

/** Grows with each byte that is allocated, until something is collected. */
function allocated() {
  return process.memoryUsage().heapUsed;
}

function bytesOf(times, work) {
  let fewest = Infinity;
  // The engine also does something by itself, in many rounds, and that only adds.
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc();
    const before = allocated();
    for (let index = 0; index < times; index += 1) {
      work();
    }
    fewest = Math.min(fewest, allocated() - before);
  }
  return fewest / times;
}

const answers = {
  begin: () => {
    globalThis.gc();
    return allocated();
  },
  end: () => allocated(),
  decisions: ({ token, times }) => {
    // Time stands still, and more of it has passed by the clock that counts in fractions: which clock decides, and so
    // whether a number is whole and costs nothing, would be chance.
    const clock = app.get(Clock, { strict: false });
    const [wall, monotonic] = [clock.wall(), clock.monotonic() + 5.5];
    Object.assign(clock, { wall: () => wall, monotonic: () => monotonic });
    const rawHeaders = ['Host', 'localhost', 'Authorization', `Bearer ${token}`];
    const request = { raw: { rawHeaders, headers: {} }, user: undefined };
    const context = contextOf(request);
    const isRecalled = () => validator.recall(token) !== undefined;
    const isLetIn = () => guards.every((guard) => guard.canActivate(context) === true);
    const outcome = { isRecalled: isRecalled(), isLetIn: isLetIn() };
    const bytes = { recall: bytesOf(times, isRecalled), guards: bytesOf(times, isLetIn) };
    delete clock.wall;
    delete clock.monotonic;
    return { ...outcome, ...bytes };
  },
};

process.on('message', ({ question, ...rest }) => {
  process.send(answers[question](rest));
});
process.on('disconnect', () => process.exit());
process.send({ url: await app.getUrl() });
