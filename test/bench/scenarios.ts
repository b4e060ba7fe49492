import type { Scenario } from './scenario.js';
import { warmRead } from './scenarios/warm-read.js';

export const SCENARIOS: readonly Scenario[] = [warmRead];
