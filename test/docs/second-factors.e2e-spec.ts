import { readFileSync } from 'node:fs';

import { formOf, runBlocks, stepsOf } from '../support/shell-steps.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const TEST_TIMEOUT_MS = 120_000;

describe('docs/second-factors.md', () => {
  let api: TestApp;
  beforeAll(async () => (api = await startTestApp()));
  afterAll(async () => api.close());

  it(
    'prints the output that it shows',
    async () => {
      const steps = stepsOf(readFileSync('docs/second-factors.md', 'utf8'));
      const commands = steps.map((step) => step.commands.replace('http://127.0.0.1:3000', api.url));
      expect(commands.join('\n')).toContain(api.url);

      const printed = await runBlocks(commands, '.');

      expect(printed.slice(0, -1).map(formOf)).toEqual(
        steps.map(({ shown = '' }) => formOf(shown)),
      );
    },
    TEST_TIMEOUT_MS,
  );
});
