import { readFileSync } from 'node:fs';

import { withResults } from './docs.js';
import { PEERS } from './peers.js';
import { plotsOf } from './plots.js';
import type { Report } from './report.js';
import { rowsOf, withRatios } from './results.js';

const round = withRatios(
  {
    'bare-fastify': { requestsPerSecond: 1000, medianMs: 1, p99Ms: 2 },
    keyslot: { requestsPerSecond: 800, medianMs: 1.5, p99Ms: 3 },
  },
  'bare-fastify',
  'keyslot',
);
const report: Report = {
  startedAt: '2026-01-02T03:04:05.000Z',
  commit: '0123456789ab',
  machine: { cpu: 'A processor', cores: 2, memoryGib: 4, system: 'Linux 6' },
  versions: { node: 'v20.19.0', redis: '7.0.15', wrk: '4.1.0', packages: { fastify: '5.0.0' } },
  settings: { rounds: 1, seconds: 1, connections: 64 },
  scenarios: [
    { name: 'warm-read', about: 'Warm reads.', rows: rowsOf([round]) },
    { name: 'refresh', about: 'Refreshes.', rows: rowsOf([{ keyslot: { p99Ms: 7 } }]) },
  ],
};

describe('the page of the benchmarks', () => {
  const page = readFileSync('docs/benchmarks.md', 'utf8');
  const filled = withResults(page, report);

  it('names the machine and the versions of the measurement', () => {
    expect(filled).toContain('2026-01-02, commit 0123456789ab');
    expect(filled).toContain('A processor, 2 cores, 4 GiB, Linux 6');
    expect(filled).toContain('Node 20.19.0, Redis 7.0.15, wrk 4.1.0; fastify 5.0.0');
    expect(filled).toContain('1 rounds of 1 s, 64 connections');
  });

  it('has a table for each scenario, and charts where there are ratios', () => {
    expect(filled).toMatch(/\| `keyslot` +\| +800 \| +0\.80 \|/);
    expect(filled).toContain('](benchmarks/warm-read-ratio.svg)');
    expect(filled).toContain('](benchmarks/warm-read-latency.svg)');
    expect(plotsOf(report.scenarios[1]!)).toEqual([]);
  });

  it('replaces the results of the previous run, and changes nothing else', () => {
    const again = withResults(filled, { ...report, commit: 'another', scenarios: [] });

    expect(again).not.toContain('0123456789ab');
    expect(again.split('<!-- results -->')[0]).toBe(page.split('<!-- results -->')[0]);
    expect(again.split('<!-- end of results -->')[1]).toBe(
      page.split('<!-- end of results -->')[1],
    );
  });

  it.each(Object.values(PEERS))('describes the peer $name', ({ name }) => {
    const [explanation] = page.split('<!-- results -->');

    expect(explanation).toContain(`\n| \`${name}\` `);
  });

  it('must mark the place of the results', () => {
    expect(() => withResults('# A page', report)).toThrow('where the results go');
  });
});
