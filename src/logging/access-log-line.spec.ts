import { hostname } from 'node:os';
import { pino } from 'pino';

import { accessLogLine } from './access-log-line.js';

describe('the log line of a response', () => {
  it.each([
    ['::1\u2028\\', undefined],
    [undefined, 2],
  ])('has the same members as that of pino, for %j and worker %j', (ip, worker) => {
    const fields = {
      requestId: '5f0c6a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1',
      method: 'GET',
      route: '/api/users/:id/"quoted"\n',
      status: 200,
      durationMs: 1.3,
      ip,
    };
    let written = '';
    const logger = pino(
      {
        base: { pid: process.pid, hostname: hostname(), worker },
        timestamp: false,
        formatters: { level: (level) => ({ level }) },
      },
      { write: (line) => (written = line) },
    );
    logger.info(fields, 'answered');

    const line = accessLogLine(fields, worker);

    expect(line.endsWith('}\n')).toBe(true);
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(rest).toEqual(JSON.parse(written));
  });

  it('tells routes, methods and statuses apart', () => {
    const of = (method: string, route: string, status: number): unknown =>
      JSON.parse(
        accessLogLine({ requestId: 'an id', method, route, status, durationMs: 0, ip: '::1' }),
      );
    const answers = [
      ['GET', '/a', 200],
      ['GET', '/a', 404],
      ['PUT', '/a', 200],
      ['GET', '/b', 200],
      ['GET', '/a', 200],
    ] as const;

    for (const [method, route, status] of answers) {
      expect(of(method, route, status)).toMatchObject({ method, route, status });
    }
  });
});
