import type { Scenario } from '../scenario.js';
import { withShapes } from '../shapes.js';

export const oneCopy: Scenario = {
  name: 'one-copy',
  about:
    'Cold reads (GET /api/user, each with a new token) and durable writes (PATCH /api/user), where each of three masters ' +
    'has its replica, and where all replicas are lost: a majority of the masters then confirms each write.',
  ...withShapes(['three masters', 'one copy']),
};
