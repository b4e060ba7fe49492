import type { Scenario } from './scenario.js';
import { coldToken } from './scenarios/cold-token.js';
import { forwardAuth } from './scenarios/forward-auth.js';
import { introspection } from './scenarios/introspection.js';
import { loginStorm } from './scenarios/login-storm.js';
import { logins } from './scenarios/logins.js';
import { logout } from './scenarios/logout.js';
import { masters } from './scenarios/masters.js';
import { mixedDay } from './scenarios/mixed-day.js';
import { oneCopy } from './scenarios/one-copy.js';
import { otherInstance } from './scenarios/other-instance.js';
import { refreshes } from './scenarios/refresh.js';
import { warmRead } from './scenarios/warm-read.js';
import { workers } from './scenarios/workers.js';

export const SCENARIOS: readonly Scenario[] = [
  warmRead,
  coldToken,
  otherInstance,
  forwardAuth,
  introspection,
  logins,
  loginStorm,
  refreshes,
  logout,
  mixedDay,
  masters,
  oneCopy,
  workers,
];
