import { runBoilerplate } from './boilerplate/run.js';
import { PEER_SECRET } from './peer.js';

/** The secret is text, as in most projects. jsonwebtoken makes a key of it for each request. */
await runBoilerplate(PEER_SECRET);
