import type { Scenario } from './scenario.js';
import { INSTANCE_SCENARIOS } from './scenarios/instances.js';
import { LOSS_SCENARIOS } from './scenarios/losses.js';
import { NODE_SCENARIOS } from './scenarios/nodes.js';
import { SLOT_SCENARIOS } from './scenarios/slots.js';
import { WIRE_SCENARIOS } from './scenarios/wires.js';

/** All scenarios. Each is one row of the table. */
export const SCENARIOS: readonly Scenario[] = [
  ...NODE_SCENARIOS,
  ...LOSS_SCENARIOS,
  ...SLOT_SCENARIOS,
  ...WIRE_SCENARIOS,
  ...INSTANCE_SCENARIOS,
];
