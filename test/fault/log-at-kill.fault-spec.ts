import { connect } from 'node:net';

import { Instance } from '../support/instance.js';

/** Lines of responses are written in batches, up to a tenth of a second late. Audit events are written at once. */
describe('the log of an instance that is killed (89)', () => {
  it('contains the audit event of each answered call, in order', async () => {
    const instance = await Instance.start({ LOG_LEVEL: 'info' });
    const user = await instance.newUser();

    const { status } = await instance.request('POST', '/api/logout', {
      token: user.tokens.access_token,
    });
    await instance.kill();

    expect(status).toBe(204);
    const lines = instance
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(lines.filter((line) => line.includes('"type":"logged-out"'))).toHaveLength(1);
    const times = lines.map((line) => String((JSON.parse(line) as { time: string }).time));
    expect(times).toEqual([...times].sort());
  });

  it('contains the line of each response if the instance is stopped instead of killed', async () => {
    const instance = await Instance.start({ LOG_LEVEL: 'info' });
    const { body } = await instance.request('GET', '/not-a-route');

    await instance.stop();

    const line = instance
      .output()
      .split('\n')
      .find((text) => text.includes(String(body['requestId'])));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      msg: 'answered',
      method: 'GET',
      route: 'unknown',
      status: 404,
    });
  });

  it('contains a line, and no error, for a client that resets its connection before the response', async () => {
    const instance = await Instance.start({ LOG_LEVEL: 'info' });
    const { hostname, port } = new URL(instance.url);
    const reset = async (): Promise<void> =>
      new Promise((done) => {
        const socket = connect({ host: hostname, port: Number(port) }, () => {
          socket.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n', () =>
            setImmediate(() => socket.resetAndDestroy()),
          );
        });
        socket.on('error', () => undefined);
        socket.on('close', () => done());
      });

    await Promise.all(Array.from({ length: 50 }, reset));
    await instance.stop();

    const lines = instance
      .output()
      .split('\n')
      .filter((text) => text.includes('/health/live'))
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter(({ level, msg }) => level !== 'info' || msg !== 'answered')).toEqual([]);
  });
});
