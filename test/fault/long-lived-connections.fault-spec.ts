import { Controller, Module, Sse } from '@nestjs/common';
import { NEVER, startWith, type Observable } from 'rxjs';

import { AccessWatch } from '../../src/guard/index.js';
import { startOwnCluster } from '../support/own-cluster.js';
import { startTestApp } from '../support/test-app.js';

@Controller('api/stream')
class StreamController {
  @Sse() stream(): Observable<{ data: string }> {
    return NEVER.pipe(startWith({ data: 'first' }));
  }
}

@Module({ controllers: [StreamController] })
class StreamModule {}

describe('a stream on an instance that has lost Redis', () => {
  it('is closed, because the instance could miss a change of its session', async () => {
    const redis = await startOwnCluster();
    const api = await startTestApp(redis.variables, { imports: [StreamModule] });
    const { tokens } = await api.newUser();
    const stream = await fetch(`${api.url}/api/stream`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(stream.status).toBe(200);

    await redis.remove();

    expect(await stream.text()).toContain('data: first');
    expect(api.app.get(AccessWatch).count).toBe(0);
    await api.close();
  }, 120_000);
});
