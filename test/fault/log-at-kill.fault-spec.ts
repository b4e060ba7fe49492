import { Instance } from '../support/instance.js';

/** Lines of answers are written together, up to a tenth of a second late. Audit events are not. */
describe('the log of an instance that is killed (89)', () => {
  it('holds the audit event of each call that was answered, in order', async () => {
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

  it('holds the line of each answer when it is stopped and not killed', async () => {
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
});
