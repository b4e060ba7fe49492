import { createApp } from '../../src/bootstrap/create-app.js';
import { untilReady } from '../../src/bootstrap/until-ready.js';
import { testSettings } from '../support/test-app.js';

describe('an application that closes before it is ready', () => {
  it('ends every wait of its start, so that nothing keeps the process alive', async () => {
    const app = await createApp(
      testSettings({
        REDIS_NODES: '127.0.0.1:1',
        BOOTSTRAP_ADMIN_USERNAME: 'root',
        BOOTSTRAP_ADMIN_PASSWORD: 'violet engines hum at dawn',
      }),
    );
    await app.init();
    const ready = untilReady(app);

    await app.close();

    await expect(ready).resolves.toBeUndefined();
  });
});
