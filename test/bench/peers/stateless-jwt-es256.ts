import { createPrivateKey, createPublicKey } from 'node:crypto';

import { variable } from './peer.js';
import { runStateless } from './stateless.js';

/** Tokens with ES256, like those of Keyslot. */
const key = createPrivateKey(variable('BENCH_SIGNING_KEY'));
await runStateless({
  private: key.export({ type: 'pkcs8', format: 'pem' }),
  public: createPublicKey(key).export({ type: 'spki', format: 'pem' }),
});
