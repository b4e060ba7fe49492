import { randomUUID } from 'node:crypto';

import { WITH_ADMINISTRATOR } from './deployment.js';
import { GOOD_PASSWORD, type Answer, type TestUser, type Tokens } from './http-client.js';
import { exampleOf, readOperations, type BodySchema, type Operation } from './openapi.js';
import { rawHttp, rawRequest } from './raw-http.js';
import { createAccount } from './service-accounts.js';
import { changedKeys, StoredState } from './stored-state.js';
import { startTestApp, type TestApp } from './test-app.js';

/** The role whose name is in the paths. */
const ROLE = 'order-clerk';

/** An operation that reads a body. */
export type Reader = Operation & { readonly body: BodySchema };

/** An application with an authorized caller for every operation, so that only the input is wrong. */
export interface BadInput {
  readonly api: TestApp;
  readonly admin: Tokens;
  /** An ordinary user. */
  readonly user: TestUser;
  /** The user whose id is in the paths. */
  readonly target: TestUser;
  readonly operations: readonly Operation[];
  readonly readers: readonly Reader[];
  readonly pathOf: (operation: Operation) => string;
  /** A valid body. */
  readonly goodBody: (operation: Reader) => Record<string, unknown>;
  /** Sends a body with the administrator's token. */
  readonly send: (operation: Operation, body: unknown) => Promise<Answer>;
  /** Sends raw bytes with the administrator's token. */
  readonly sendRaw: (operation: Operation, fields: string[], body?: string) => Promise<string>;
  /** Asserts that the work does not change stored data. */
  readonly expectNothingChanged: (work: () => Promise<void>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startBadInput(): Promise<BadInput> {
  const api = await startTestApp(WITH_ADMINISTRATOR);
  const { body: admin } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
  const [user, target] = [await api.newUser(), await api.newUser()];
  // Exists, so that a path with its name is right.
  await api.request('PUT', `/api/roles/${ROLE}`, {
    token: admin.access_token,
    body: { permissions: ['orders:read'] },
  });
  const account = await createAccount(api, admin.access_token);
  // Forms have tests of their own: route-options and oauth.
  const operations = (await readOperations(api)).filter(
    ({ isForm, isStream }) => !isForm && !isStream,
  );
  const stored = await StoredState.of(api);
  const pathOf = ({ path }: Operation): string =>
    path
      .replace('{kid}', account.secrets[0]!.id)
      .replace('{secretId}', account.secrets[0]!.id)
      .replace(/(?<=service-accounts\/)\{id\}/, account.id)
      .replace('{id}', path.includes('/users/') ? target.id : admin.session_id)
      .replace('{name}', ROLE);
  const authorization = `Authorization: Bearer ${admin.access_token}`;
  return {
    api,
    admin,
    user,
    target,
    operations,
    pathOf,
    readers: operations.filter((operation): operation is Reader => operation.body !== undefined),
    goodBody: ({ body }) =>
      exampleOf(body, {
        name: `account-${randomUUID()}`,
        username: `user-${randomUUID()}`,
        password: GOOD_PASSWORD,
        currentPassword: GOOD_PASSWORD,
        refresh_token: admin.refresh_token,
      }),
    send: async (operation, body) =>
      api.request(operation.method, pathOf(operation), { token: admin.access_token, body }),
    sendRaw: async (operation, fields, body) => {
      const lines = [authorization, ...fields];
      return rawHttp(api.url, rawRequest(operation.method, pathOf(operation), lines, body));
    },
    expectNothingChanged: async (work) => {
      const before = await stored.snapshot();
      await work();
      expect(changedKeys(before, await stored.snapshot())).toEqual([]);
    },
    stop: async () => {
      stored.close();
      await api.close();
    },
  };
}

export const JSON_TYPE = 'Content-Type: application/json';

/** Asserts the status of a response. A failure shows the request. */
export function expectStatus(sent: object, status: number, expected: number): void {
  expect({ ...sent, status }).toEqual({ ...sent, status: expected });
}
