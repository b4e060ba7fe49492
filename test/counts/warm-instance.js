// One instance, the built code in a process of its own, that tells how much it has allocated and done. It is started with
// --expose-gc, with room for the young generation so that nothing is collected while it counts, and without the compilers
// that leave allocations out when they have had time to see that nobody needs them: what is counted is what the source says.
import { ApplicationConfig } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { promiseHooks } from 'node:v8';

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

const clock = app.get(Clock, { strict: false });
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
  globalThis.gc();
  // The engine also does something by itself, in many rounds, and that only adds.
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = allocated();
    for (let index = 0; index < times; index += 1) {
      work();
    }
    fewest = Math.min(fewest, allocated() - before);
  }
  return fewest / times;
}

/** How much had been allocated at the beginning of each request. */
const atRequests = [];

function noteRequest() {
  atRequests.push(allocated());
}

function medianOf(numbers) {
  return numbers.sort((one, other) => one - other)[Math.floor(numbers.length / 2)];
}

/** Counts what the process does, besides allocating. @returns a function that ends the count and returns it */
function startCount() {
  const counted = { promises: 0, commands: 0, cacheLookUps: 0, mapLookUps: 0 };
  const count = (type, method, name) => {
    const original = type.prototype[method];
    type.prototype[method] = function (...args) {
      counted[name] += 1;
      return original.apply(this, args);
    };
    return () => (type.prototype[method] = original);
  };
  const ends = [
    promiseHooks.onInit(() => (counted.promises += 1)),
    count(Redis, 'sendCommand', 'commands'),
    ...['get', 'peek', 'has'].map((method) => count(LRUCache, method, 'cacheLookUps')),
    ...['get', 'has'].map((method) => count(Map, method, 'mapLookUps')),
    ...['get', 'has'].map((method) => count(WeakMap, method, 'mapLookUps')),
  ];
  return () => {
    ends.forEach((end) => end());
    return counted;
  };
}

let endCount;

// They answer at once, because a promise for the answer would be counted.
const answers = {
  isCalm: () => !app.getHttpAdapter().getInstance().isUnderPressure(),
  beginRequests: () => {
    globalThis.gc();
    atRequests.length = 0;
    app.getHttpServer().prependListener('request', noteRequest);
    return true;
  },
  endRequests: () => {
    app.getHttpServer().off('request', noteRequest);
    return medianOf(atRequests.slice(1).map((bytes, index) => bytes - atRequests[index]));
  },
  stopTime: () => {
    // Otherwise the look-ups would depend on whether a new second has begun. More time has passed by the clock that counts in
    // fractions: which clock decides, and so whether a number is whole and costs nothing, would be chance.
    const [wall, monotonic] = [clock.wall(), clock.monotonic() + 5.5];
    Object.assign(clock, { wall: () => wall, monotonic: () => monotonic });
    return true;
  },
  startTime: () => {
    delete clock.wall;
    delete clock.monotonic;
    return true;
  },
  beginCount: () => {
    endCount = startCount();
    return true;
  },
  endCount: () => endCount(),
  decisions: ({ token, times }) => {
    const credentials = `Bearer ${token}`;
    const rawHeaders = ['Host', 'localhost', 'Authorization', credentials];
    const request = { raw: { rawHeaders, headers: {} }, user: undefined };
    const context = contextOf(request);
    const isRecalled = () => validator.recallCredentials(credentials) !== undefined;
    const isLetIn = () => guards.every((guard) => guard.canActivate(context) === true);
    const outcome = { isRecalled: isRecalled(), isLetIn: isLetIn() };
    const bytes = { recall: bytesOf(times, isRecalled), guards: bytesOf(times, isLetIn) };
    const end = startCount();
    isLetIn();
    return { ...outcome, ...bytes, counted: end() };
  },
};

process.on('message', ({ question, ...rest }) => {
  process.send(answers[question](rest));
});
process.on('disconnect', () => process.exit());
process.send({ url: await app.getUrl() });
