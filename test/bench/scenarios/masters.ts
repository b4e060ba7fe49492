import type { Scenario } from '../scenario.js';
import { withShapes } from '../shapes.js';

export const masters: Scenario = {
  name: 'masters',
  about:
    'Cold reads (GET /api/user, each with a new token) and durable writes (PATCH /api/user), where one master has all ' +
    'slots, and where three share them.',
  ...withShapes(['one master', 'three masters']),
};
