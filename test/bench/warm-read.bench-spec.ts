import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PEERS } from './peers.js';
import type { Report } from './report.js';

const TEST_TIMEOUT_MS = 400_000;

const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['src/setup/run.js', 'bench', ...args], { encoding: 'utf8' });

describe('npm run bench', () => {
  it(
    'measures every peer with the same work, and writes the results',
    () => {
      const output = mkdtempSync(join(tmpdir(), 'keyslot-results-'));
      const settings = ['--rounds', '1', '--seconds', '1', '--connections', '4'];

      const run = bench('--only', 'warm-read', ...settings, '--output', output);

      expect(run).toMatchObject({ status: 0 });
      const files = readdirSync(output).sort();
      expect(files.map((name) => name.replace(/.*\./, ''))).toEqual(['json', 'md']);
      const report = JSON.parse(readFileSync(join(output, files[0]!), 'utf8')) as Report;
      expect(report).toMatchObject({
        startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        machine: { cores: expect.any(Number), cpu: expect.any(String) },
        versions: {
          node: process.version,
          redis: expect.stringMatching(/^\d+\./),
          wrk: expect.any(String),
          packages: { fastify: expect.any(String) },
        },
        settings: { rounds: 1, seconds: 1, connections: 4 },
        scenarios: [{ name: 'warm-read' }],
      });
      const rows = report.scenarios[0]!.rows;
      expect(rows.map(({ subject }) => subject)).toEqual(
        Object.values(PEERS).map(({ name }) => name),
      );
      for (const { measures } of rows) {
        expect(measures.requestsPerSecond?.rounds).toHaveLength(1);
        expect(measures.requestsPerSecond?.min).toBeGreaterThan(0);
        expect(measures.ratio?.rounds).toHaveLength(1);
        expect(measures.bodyBytes?.median).toBe(rows[0]!.measures.bodyBytes?.median);
      }
      expect(rows[1]!.measures.ratio?.rounds).toEqual([1]);
      expect(run.stdout).toContain('| `keyslot`');
      expect(readFileSync(join(output, files[1]!), 'utf8')).toContain('| `keyslot`');
      rmSync(output, { recursive: true });
    },
    TEST_TIMEOUT_MS,
  );
});
