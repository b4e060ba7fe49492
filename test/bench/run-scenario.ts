import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PEERS } from './peers.js';
import { rowsOf, withRatios, type Round, type ScenarioResult } from './results.js';
import type { Scenario, Settings, Stages } from './scenario.js';
import { Stage } from './stage.js';

/** Cleanup after an interrupted run. */
export interface Cleanup {
  add(step: () => Promise<unknown>): void;
}

export async function runScenario(
  scenario: Scenario,
  settings: Settings,
  tell: (text: string) => void,
  cleanup: Cleanup,
): Promise<ScenarioResult> {
  const directory = mkdtempSync(join(tmpdir(), 'keyslot-bench-'));
  const stages: Stage[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(stages.splice(0).map(async (stage) => stage.close()));
    rmSync(directory, { recursive: true, force: true });
  };
  cleanup.add(close);
  try {
    for (const shape of scenario.stages ?? (['three masters'] as const)) {
      stages.push(await Stage.open(directory, shape));
    }
    const play = await scenario.prepare(stages as unknown as Stages, settings);
    const rounds: Round[] = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      const measured = await play(round);
      rounds.push(
        scenario.baseline ? withRatios(measured, scenario.baseline, PEERS.keyslot.name) : measured,
      );
      tell(`${scenario.name}, round ${round + 1} of ${settings.rounds}\n`);
    }
    const { name, about, baseline } = scenario;
    return {
      name,
      about: baseline ? `${about} Ratio 1.00 is \`${baseline}\`.` : about,
      ...(baseline ? { baseline } : {}),
      rows: rowsOf(rounds),
    };
  } finally {
    await close();
  }
}
