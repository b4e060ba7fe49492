import { setInterval as ticks } from 'node:timers/promises';

import { SlowClient } from '../support/slow-client.js';
import { startTestApp } from '../support/test-app.js';

const TICK_MS = 1000;
const HEAD = 'POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';

describe('an instance that receives a stop signal', () => {
  it('stops even while a client is still sending (75)', async () => {
    const api = await startTestApp();
    const client = await SlowClient.connect(api.app.getHttpServer(), api.url, {
      first: `${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
      drip: '1\r\n \r\n',
    });

    const stopped = api.close();

    const clock = ticks(TICK_MS)[Symbol.asyncIterator]();
    while (!client.isCutOff) {
      await clock.next();
      client.drip();
    }
    await clock.return?.();
    await stopped;
    client.hangUp();
  });
});
