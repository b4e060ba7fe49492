import { runCompiled } from './compiled.js';
import { ensureWrk } from './prerequisites.js';

/** The benchmarks: peers and scenarios, compiled, with their own options. */
export async function runBench(options) {
  ensureWrk();
  await runCompiled({ name: 'bench', title: 'The benchmark suite' }, options);
}
