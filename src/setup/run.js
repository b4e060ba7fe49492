// Entry point of the npm scripts: performs the missing set-up, then runs the task.
import { fileURLToPath } from 'node:url';

import { ensureBuild } from './build.js';
import {
  checkNode,
  ensureChromium,
  ensurePackages,
  ensureRedisServer,
  ensureWrk,
  namesOwnCluster,
  say,
  SetUpError,
} from './prerequisites.js';
import { runSuite } from './suites.js';
import { runFastTests, runSlowTests } from './test.js';

const tasks = {
  start: async () => {
    prepare({ needsRedis: !namesOwnCluster() });
    // Workers run this file, without the set-up.
    process.argv[1] = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
    await import('../../dist/main.js');
  },
  dev: async () => {
    prepare({ needsRedis: !namesOwnCluster() });
    const { runDev } = await import('./dev.js');
    await runDev({ needsCluster: !namesOwnCluster() });
  },
  cluster: async () => {
    prepare({ needsRedis: true });
    process.argv[2] = 'cluster';
    await import('../../dist/cli.js');
  },
  test: async () => {
    checkNode();
    ensurePackages();
    await runFastTests(process.argv.slice(3));
  },
  'test:slow': async () => {
    checkNode();
    ensurePackages();
    await runSlowTests(process.argv.slice(3));
  },
  chaos: async () => {
    prepare({ needsRedis: true });
    await runSuite('chaos', process.argv.slice(3));
  },
  bench: async () => {
    prepare({ needsRedis: true });
    ensureWrk();
    await runSuite('bench', process.argv.slice(3));
  },
  scale: async () => {
    prepare({ needsRedis: true });
    await runSuite('scale', process.argv.slice(3));
  },
  timing: async () => {
    prepare({ needsRedis: true });
    await runSuite('timing', process.argv.slice(3));
  },
  screenshot: async () => {
    prepare({ needsRedis: true });
    process.env.CHROMIUM = ensureChromium();
    await runSuite('screenshot', process.argv.slice(3));
  },
  client: async () => {
    checkNode();
    ensurePackages();
    const { printClientTypes } = await import('./client.js');
    await printClientTypes(process.argv.slice(3));
  },
};

function prepare({ needsRedis }) {
  checkNode();
  ensurePackages();
  if (needsRedis) {
    ensureRedisServer();
  }
  ensureBuild();
}

const task = tasks[process.argv[2] ?? ''];
try {
  if (!task) {
    throw new SetUpError(`Usage: node src/setup/run.js ${Object.keys(tasks).join('|')}`);
  }
  await task();
} catch (error) {
  if (!(error instanceof SetUpError)) {
    throw error;
  }
  say(error.message);
  process.exitCode = 1;
}
