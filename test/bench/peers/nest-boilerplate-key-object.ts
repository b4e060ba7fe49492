import { createSecretKey } from 'node:crypto';

import { runBoilerplate } from './boilerplate/run.js';
import { PEER_SECRET } from './peer.js';

/** The same secret as a key that is made once. */
await runBoilerplate(createSecretKey(PEER_SECRET, 'utf8'));
