import { runWrk, validResult } from './wrk.js';

describe('the output of wrk', () => {
  const none = { connect: 0, read: 0, write: 0, status: 0, timeout: 0 };
  const outputOf = (changes: object): string => {
    const result = {
      requests: 1200,
      durationMicros: 1_000_000,
      errors: none,
      latencyMicros: { p50: 900, p90: 1500, p99: 4000, max: 9000 },
      ...changes,
    };
    return `Running 1s test @ http://127.0.0.1:3000\n${JSON.stringify(result)}\nRequests/sec: 1200\n`;
  };

  it('contains the result among other lines', () => {
    expect(validResult(outputOf({}))).toMatchObject({
      requests: 1200,
      latencyMicros: { p99: 4000 },
    });
  });

  it.each(Object.keys(none))('is rejected with one error of the kind %s', (kind) => {
    expect(() => validResult(outputOf({ errors: { ...none, [kind]: 1 } }))).toThrow(`${kind} 1`);
  });

  it('is rejected when no request was answered', () => {
    expect(() => validResult(outputOf({ requests: 0 }))).toThrow('no request was answered');
  });

  it('is shown in the error when it contains no result', () => {
    expect(() => validResult('unable to connect\n')).toThrow('unable to connect');
  });

  it.each([
    ['another machine', { url: 'http://192.0.2.1:80' }],
    ['no end', { seconds: Infinity }],
    ['too many connections', { connections: 100_000 }],
  ])('is not produced for load with %s: it is refused', async (_, changes) => {
    const load = { url: 'http://127.0.0.1:1', file: '', order: 'once', seconds: 1, connections: 1 };

    await expect(runWrk({ ...load, order: 'once', ...changes })).rejects.toThrow('limits');
  });
});
