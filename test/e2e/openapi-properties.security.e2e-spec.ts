import fc from 'fast-check';
import { randomUUID } from 'node:crypto';

import { PROBLEMS, type ProblemCode } from '../../src/common/problem/index.js';
import { Cast } from '../support/cast.js';
import { WITH_ADMINISTRATOR } from '../support/deployment.js';
import { sendExactly, type ExactAnswer, type ExactRequest } from '../support/exact-request.js';
import { Instance } from '../support/instance.js';
import { isValid, readOperations, type Operation } from '../support/openapi.js';
import { requestsTo, type DraftRequest } from '../support/request-arbitrary.js';
import { changedKeys, StoredState, type Snapshot } from '../support/stored-state.js';

/**
 * A fixed seed gives the same requests in each run. `PROPERTY_SEED` and `PROPERTY_RUNS` override it. A failure prints
 * its seed.
 */
const SEED = Number(process.env['PROPERTY_SEED'] ?? 20_261_124);
/** Runs for each operation that reads a body; the others need fewer. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 35);
/** About ten times the usual duration. */
const TEST_TIMEOUT_MS = 4000 * RUNS;

/** Statuses of any route: unknown path, malformed URL, unreadable or unsupported body. */
const GENERAL = [400, 404, 405, 413, 415, 431];

describe('any request to any operation of the OpenAPI document', () => {
  let api: Instance;
  let stored: StoredState;
  let cast: Cast;
  let before: Snapshot | undefined;
  beforeAll(async () => {
    const keyPrefix = `t-${randomUUID().slice(0, 8)}:`;
    api = await Instance.start({
      ...WITH_ADMINISTRATOR,
      REDIS_KEY_PREFIX: keyPrefix,
      LOG_LEVEL: 'warn',
      // A trusted proxy lets each request use its own address, so that requests do not share a limit.
      TRUSTED_PROXIES: '127.0.0.1',
    });
    stored = await StoredState.of({ keyPrefix });
    cast = await Cast.of(api, WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
  });
  afterAll(async () => {
    stored.close();
    await api.stop();
  });

  const check = async (operation: Operation, draft: DraftRequest): Promise<void> => {
    before ??= await stored.snapshot();
    const sent = cast.fillIn(operation, draft);
    // Fails on a timeout.
    const answer = await sendExactly(api.url, sent);

    expectDocumented(operation, answer);
    if (answer.status >= 400) {
      expectProblem(answer);
      const after = await stored.snapshot();
      const changed = changedKeys(before, after);
      before = after;
      expect({ answer: answer.text, changed }).toEqual({ answer: answer.text, changed: [] });
    } else {
      expectAllowed(operation, draft, sent);
      before = undefined;
      if (operation.method !== 'GET') {
        await cast.recast(operation, draft, answer);
      }
    }
  };

  it(
    'is answered in time, as documented, without a 5xx, and changes nothing when it is refused (80)',
    async () => {
      const all = (await readOperations(api)).filter(
        ({ isForm, isStream }) => !isForm && !isStream,
      );
      for (const [index, operation] of all.entries()) {
        const { method, path } = operation;
        const property = fc.asyncProperty(
          fc.constant(`${method} ${path}`),
          requestsTo(operation),
          fc.ipV4(),
          async (_, draft, address) => {
            const fields = [...draft.fields, ['X-Forwarded-For', address] as const];
            await check(operation, { ...draft, fields });
          },
        );
        const result = await fc.check(property, {
          seed: SEED + index,
          numRuns: operation.body ? RUNS : Math.ceil(RUNS / 3),
          interruptAfterTimeLimit: TEST_TIMEOUT_MS / 3,
          markInterruptAsFailure: true,
        });
        if (result.failed) {
          throw new Error(`PROPERTY_SEED=${SEED}\n${fc.defaultReportMessage(result)}`, {
            cause: result.errorInstance,
          });
        }
      }
    },
    TEST_TIMEOUT_MS,
  );

  it('leaves the process alive and other users unchanged (80)', async () => {
    const { victim } = cast;
    const { body } = await api.ownUser(victim.tokens.access_token);
    expect(body).toMatchObject({
      id: victim.id,
      username: victim.username,
      email: null,
      displayName: null,
      roles: [],
    });
    expect(body['updatedAt']).toBe(body['createdAt']);
    expect((await api.login(victim.username)).status).toBe(200);
    expect((await api.refresh(victim.tokens.refresh_token)).status).toBe(200);
    expect((await api.request('GET', '/health/ready')).status).toBe(200);
    expect(api.output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });
});

function expectDocumented(operation: Operation, { status, text }: ExactAnswer): void {
  const statuses = [...operation.statuses, ...GENERAL].filter((one) => one < 500);
  expect({ status, text, isDocumented: statuses.includes(status) }).toEqual({
    status,
    text,
    isDocumented: true,
  });
}

function expectProblem({ status, type, text }: ExactAnswer): void {
  expect(type).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(text) as { code: string; status: number };
  expect(Object.keys(PROBLEMS)).toContain(problem.code);
  expect(problem).toMatchObject({ status: PROBLEMS[problem.code as ProblemCode].status });
  expect(problem.status).toBe(status);
}

/** Asserts that the document allows the request that was carried out. */
function expectAllowed(operation: Operation, { caller }: DraftRequest, sent: ExactRequest): void {
  const isKnown = caller === 'ordinary' || caller === 'administrator';
  expect({ isAllowed: operation.isPublic || isKnown }).toEqual({ isAllowed: true });
  if (operation.path.startsWith('/api/users/')) {
    expect({ caller }).toEqual({ caller: 'administrator' });
  }
  if (operation.body) {
    // A byte order mark may be ignored (RFC 8259 section 8.1).
    const body = JSON.parse(String(sent.body).replace(/^\ufeff/, '')) as object;
    // Members that every object inherits are ignored.
    const members = Object.entries(body).filter(
      ([name]) => !(name in Object.prototype) && name !== 'prototype',
    );
    const read: unknown = Object.fromEntries(members);
    expect({ body, isValid: isValid(operation.body, read) }).toEqual({ body, isValid: true });
  }
}
