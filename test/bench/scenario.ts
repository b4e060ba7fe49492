import type { Round } from './results.js';
import type { Stage } from './stage.js';

/** How much load, and for how long. */
export interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Of the ratios. */
  readonly baseline?: string;
  /** Default: each with a cluster of three masters. */
  readonly stages?: readonly (1 | 3)[];
  /** Starts the servers. @returns what is done in each round */
  prepare(stages: Stages, settings: Settings): Promise<(round: number) => Promise<Round>>;
}

export type Stages = readonly [Stage, ...Stage[]];
