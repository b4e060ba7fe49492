import type { Round } from './results.js';
import type { Stage } from './stage.js';

/** The amount and duration of the load. */
export interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** The subject that ratios refer to. */
  readonly baseline?: string;
  /** Number of masters of each cluster. Default: one cluster of three masters. */
  readonly stages?: readonly (1 | 3)[];
  /** Starts the servers. @returns the function that runs one round */
  prepare(stages: Stages, settings: Settings): Promise<(round: number) => Promise<Round>>;
}

export type Stages = readonly [Stage, ...Stage[]];
