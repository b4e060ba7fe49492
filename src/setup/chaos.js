import { compileSuite } from './compile-suite.js';

/** The long fault suite: the same code as the fault tests, compiled, with its own options. */
export async function runChaos(options) {
  const folder = compileSuite('chaos');
  process.argv.splice(2, process.argv.length, ...options);
  await import(`../../${folder}/test/chaos/main.js`);
}
