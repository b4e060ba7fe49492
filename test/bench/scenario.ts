import type { Round } from './results.js';
import type { ClusterShape, Stage } from './stage.js';

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
  /** Default: one cluster of three masters with a replica each. */
  readonly stages?: readonly ClusterShape[];
  /** Starts the servers. @returns the function that runs one round */
  prepare(stages: Stages, settings: Settings): Promise<(round: number) => Promise<Round>>;
}

export type Stages = readonly [Stage, ...Stage[]];
