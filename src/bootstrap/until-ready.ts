import type { INestApplicationContext } from '@nestjs/common';

import { SigningKeys } from '../keys/index.js';
import { NearCache } from '../near-cache/index.js';
import { ClusterTime } from '../redis-cluster/index.js';
import { BootstrapAdministrator } from '../users/index.js';

/**
 * What a started application waits for before it says that it is ready, however long Redis takes.
 *
 * @throws KeyDecryptionError, BootstrapAdministratorError
 */
export async function untilReady(app: INestApplicationContext): Promise<void> {
  await app.get(ClusterTime).untilKnown();
  await app.get(NearCache).untilTrusted();
  // Not before: what is loaded without trust is not remembered, and the first token would load it once more.
  await app.get(SigningKeys).untilLoaded();
  await app.get(BootstrapAdministrator).untilThere();
}
