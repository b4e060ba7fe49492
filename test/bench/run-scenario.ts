import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { rowsOf, withRatios, type Round, type ScenarioResult } from './results.js';
import type { Scenario, Settings } from './scenario.js';
import { Stage } from './stage.js';

const FIRST_PORT = 18_000;

/** Each scenario has a cluster of its own, so that none works with what another has left behind. */
export async function runScenario(
  scenario: Scenario,
  settings: Settings,
  tell: (text: string) => void,
): Promise<ScenarioResult> {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-bench-'));
  const cluster = await EmbeddedCluster.start({
    directory: join(directory, 'cluster'),
    firstPort: FIRST_PORT,
  });
  const stage = new Stage(cluster, directory);
  try {
    const play = await scenario.prepare(stage, settings);
    const rounds: Round[] = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      const measured = await play(round);
      rounds.push(scenario.baseline ? withRatios(measured, scenario.baseline) : measured);
      tell(`${scenario.name}, round ${round + 1} of ${settings.rounds}\n`);
    }
    return { name: scenario.name, about: scenario.about, rows: rowsOf(rounds) };
  } finally {
    await stage.stop();
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
