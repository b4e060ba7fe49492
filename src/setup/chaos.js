import { SetUpError, runs, say } from './prerequisites.js';

const COMPILED = '.cache/chaos';

/** The long fault suite: the same code as the fault tests, compiled, with its own options. */
export async function runChaos(options) {
  say('Compiling the fault suite …');
  const compiler = ['node_modules/typescript/bin/tsc', '--outDir', COMPILED];
  if (!runs(process.execPath, [...compiler, '--declaration', 'false', '--sourceMap', 'false'])) {
    throw new SetUpError(
      'The fault suite does not compile. The messages of the compiler are above.',
    );
  }
  process.argv.splice(2, process.argv.length, ...options);
  await import(`../../${COMPILED}/test/chaos/main.js`);
}
