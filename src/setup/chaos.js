import { runCompiled } from './compiled.js';

/** The long fault suite: the same code as the fault tests, compiled, with its own options. */
export async function runChaos(options) {
  await runCompiled({ name: 'chaos', title: 'The fault suite' }, options);
}
