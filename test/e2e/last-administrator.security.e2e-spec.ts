import { Deadline } from '../../src/common/deadline/index.js';
import { UsersService } from '../../src/users/index.js';
import { startAdministration, type Administration } from '../support/deployment.js';
import {
  GOOD_PASSWORD,
  type Answer,
  type HttpClient,
  type TestUser,
} from '../support/http-client.js';

interface Administrator {
  readonly id: string;
  readonly token: string;
}

type Removal = (
  at: HttpClient,
  by: Administrator,
  target: Administrator,
) => Promise<Answer<{ code?: string }>>;

/** The ways to end an administrator. */
const REMOVALS: Readonly<Record<string, Removal>> = {
  'is deleted': async (at, { token }, { id }) =>
    at.request('DELETE', `/api/users/${id}`, { token }),
  'loses the role': async (at, { token }, { id }) =>
    at.request('PATCH', `/api/users/${id}`, { token, body: { roles: [] } }),
  'is disabled': async (at, { token }, { id }) =>
    at.request('PATCH', `/api/users/${id}`, { token, body: { disabled: true } }),
  'deletes itself': async (at, _, { token }) =>
    at.request('DELETE', '/api/user', { token, body: { password: GOOD_PASSWORD } }),
};
const names = Object.keys(REMOVALS);
const PAIRS = names.flatMap((one, index) =>
  names.slice(index).map((other) => [one, other] as const),
);
const CALLS_EACH = 4;

/** Requirement 104: the last enabled administrator stays, however the removals are combined, on two instances. */
describe('of two administrators who are removed at once', () => {
  let stop: Administration['stop'];
  let api: Administration['api'];
  let other: Administration['other'];
  /** The one who stayed in the round before. */
  let remaining: Administrator;
  beforeAll(async () => {
    const administration = await startAdministration();
    ({ api, other, stop } = administration);
    const { adminId, admin } = administration;
    remaining = { id: adminId, token: admin.access_token };
  });
  afterAll(async () => stop());

  const isAdministrator = async ({ id }: Administrator): Promise<boolean> => {
    const user = await api.app.get(UsersService).find(id, Deadline.none);
    return user?.isDisabled === false && user.roles.includes('admin');
  };
  const newAdministrator = async (): Promise<Administrator> => {
    const { id, tokens }: TestUser = await api.newUser();
    const options = { token: remaining.token, body: { roles: ['admin'] } };
    expect((await api.request('PATCH', `/api/users/${id}`, options)).status).toBe(200);
    return { id, token: tokens.access_token };
  };

  it.each(PAIRS)('one %s and the other %s: exactly one stays', async (first, second) => {
    const [one, two] = [remaining, await newAdministrator()];

    const answers = await Promise.all(
      Array.from({ length: 2 * CALLS_EACH }, async (_, call) => {
        const at = call % 4 < 2 ? api : other;
        return call % 2 === 0 ? REMOVALS[first]!(at, two, one) : REMOVALS[second]!(at, one, two);
      }),
    );

    const stay = [await isAdministrator(one), await isAdministrator(two)];
    expect(stay.filter(Boolean)).toHaveLength(1);
    remaining = stay[0] ? one : two;
    expect((await other.ownUser(remaining.token)).status).toBe(200);
    const refusals = answers.filter(({ status }) => status >= 400);
    for (const { status, body } of refusals) {
      expect([
        // The caller, or the target, has been removed meanwhile.
        [401, 'invalid-token'],
        [403, 'forbidden'],
        [404, 'not-found'],
        [409, 'last-administrator'],
      ]).toContainEqual([status, body.code]);
    }
    expect(answers.length - refusals.length).toBeGreaterThan(0);
  });

  it.each(['deletes itself'])('the one who stays is refused when it %s', async (name) => {
    const answer = await REMOVALS[name]!(other, remaining, remaining);

    expect(answer).toMatchObject({ status: 409, body: { code: 'last-administrator' } });
    expect(await isAdministrator(remaining)).toBe(true);
  });

  it('the one who stays cannot give up the role, be disabled or deleted by its own hand', async () => {
    for (const name of ['is deleted', 'loses the role', 'is disabled']) {
      const answer = await REMOVALS[name]!(api, remaining, remaining);
      expect(answer).toMatchObject({ status: 409, body: { code: 'own-access' } });
    }
    expect(await isAdministrator(remaining)).toBe(true);
  });
});

describe('of many administrators who delete themselves at once, on two instances', () => {
  it('exactly one stays, and only this one is refused (104)', async () => {
    const { api, other, stop, admin, adminId, asAdmin } = await startAdministration();
    try {
      const users = await Promise.all(Array.from({ length: 4 }, async () => api.newUser()));
      for (const { id } of users) {
        expect((await asAdmin('PATCH', id, { roles: ['admin'] })).status).toBe(200);
      }
      const all = [
        { id: adminId, token: admin.access_token },
        ...users.map(({ id, tokens }) => ({ id, token: tokens.access_token })),
      ];

      const answers = await Promise.all(
        all.map(async (one, index) =>
          REMOVALS['deletes itself']!(index % 2 === 0 ? api : other, one, one),
        ),
      );

      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array<number>(4).fill(204), 409]);
      const last = answers.findIndex(({ status }) => status === 409);
      expect(answers[last]!.body.code).toBe('last-administrator');
      const { status, body } = await api.ownUser(all[last]!.token);
      expect({ status, roles: body['roles'] }).toEqual({ status: 200, roles: ['admin'] });
    } finally {
      await stop();
    }
  });
});
