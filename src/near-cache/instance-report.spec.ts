import { parseReport } from './instance-report.js';

describe('a report of an instance', () => {
  it.each(['', 'no JSON', 'null', '1', '"text"'])('is ignored if it is %j', (text) => {
    expect(parseReport(text)).toBeUndefined();
  });

  it('of an earlier version, or of a hostile service, has every member with its type', () => {
    const startedAt = new Date().toISOString();
    expect(parseReport(JSON.stringify({ startedAt }))).toMatchObject({ startedAt });
    const report = parseReport(
      JSON.stringify({
        service: 'x'.repeat(10_000),
        host: 'a',
        processId: 7,
        startedAt: 'garbage',
        leaseMs: -1,
        entries: 1e308,
        isTrusted: 'yes',
        lookups: null,
        callsPerSecond: { 'a:1': 'many', 'b:2': 3 },
        changes: [1, '2', 3],
      }),
    );
    expect(report).toEqual({
      service: 'x'.repeat(200),
      version: '',
      host: 'a',
      processId: 7,
      startedAt: '',
      inbox: '',
      leaseMs: 0,
      isTrusted: false,
      entries: 0,
      entryBytes: 0,
      processBytes: 0,
      lookups: { hit: 0, miss: 0, untrusted: 0 },
      callsPerSecond: { 'a:1': 0, 'b:2': 3 },
      changes: [1, 0, 3, ...Array<number>(10).fill(0)],
    });
  });
});
