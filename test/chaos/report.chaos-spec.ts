import { markdownOf, verdictOf } from './report.js';
import type { ScenarioReport } from './run-scenario.js';

const KEPT: ScenarioReport = {
  scenario: 'kill',
  about: 'a node is killed',
  seed: 1,
  operations: 9,
  done: {},
  errors: {},
  lost: [],
  lostWithOneCopy: [],
  accepted: [],
  dishonest: [],
  late: [],
  unavailable: [],
  slow: [],
  crashed: [],
  longestAnswerMs: 10,
  recoveryMs: 3400,
  longestRecoveryMs: 5000,
  delayMs: 20,
  tookMs: 9000,
  untried: [],
  notes: ['25 slots were moved'],
};
const UNTRIED: ScenarioReport = { ...KEPT, untried: ['login succeeded once'] };

describe('the report of the fault suite', () => {
  it.each([
    ['kept', [KEPT]],
    ['not tried enough', [KEPT, UNTRIED]],
    ['BROKEN', [UNTRIED, { ...KEPT, unavailable: ['a 503'] }]],
    ['BROKEN', [{ ...KEPT, slow: ['5.1 s'] }]],
  ])('gives the result of the whole run: %s', (verdict, reports) => {
    expect(verdictOf(reports)).toBe(verdict);
  });

  it('shows the scenarios, the meaning of the columns, and operations with too few samples', () => {
    const startedAt = new Date('2026-01-31T12:00:00Z');
    const details = { seed: 7, workers: 4, startedAt, redisVersion: '7.2.11' };
    const text = markdownOf([UNTRIED], details);

    expect(text).toMatch(/^# .*: not tried enough\n/);
    expect(text).toContain(
      `2026-01-31T12:00:00.000Z, seed 7, 4 clients, three instances on a Redis Cluster of six nodes, if nothing else is stated; Node ${process.versions.node}, Redis 7.2.11`,
    );
    expect(text).toContain('3.4 s of 5.0 s');
    expect(text).toContain('- `kill`: a node is killed. 25 slots were moved\n');
    expect(text).toContain('- time to recover: ');
    expect(text).toContain('## kill: not tried enough\n\n- login succeeded once\n');
  });
});
