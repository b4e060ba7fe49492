import { GOOD_PASSWORD, type Answer, type Tokens } from './http-client.js';
import { Instance } from './instance.js';
import { startTestApp, type TestApp } from './test-app.js';

/** Two instances that share users, sessions and keys: a revocation must be effective on both before its response. */
export interface Deployment {
  readonly api: TestApp;
  readonly other: Instance;
  /** Asserts the response of every instance to the access tokens. Each instance has then cached the accepted ones. */
  readonly expectEverywhere: (status: number, ...sessions: Tokens[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startDeployment(variables: Record<string, string> = {}): Promise<Deployment> {
  const api = await startTestApp(variables);
  const other = await Instance.start({
    LOG_LEVEL: 'info',
    ...variables,
    REDIS_KEY_PREFIX: api.keyPrefix,
  }).catch(async (error: Error) => {
    await api.close();
    throw error;
  });
  return {
    api,
    other,
    expectEverywhere: async (status, ...sessions) => {
      for (const { access_token } of sessions) {
        expect((await other.ownUser(access_token)).status).toBe(status);
        expect((await api.ownUser(access_token)).status).toBe(status);
      }
    },
    stop: async () => {
      await other.stop();
      await api.close();
    },
  };
}

export interface Administration extends Deployment {
  readonly admin: Tokens;
  readonly adminId: string;
  /** Sends a request about users, with the administrator's token. */
  readonly asAdmin: (method: string, path: string, body?: unknown) => Promise<Answer>;
}

/** Settings that create an administrator, with the password of all test users. */
export const WITH_ADMINISTRATOR = {
  BOOTSTRAP_ADMIN_USERNAME: 'the-administrator',
  BOOTSTRAP_ADMIN_PASSWORD: GOOD_PASSWORD,
} as const;

/** Starts a deployment, and logs in its administrator. */
export async function startAdministration(): Promise<Administration> {
  const deployment = await startDeployment(WITH_ADMINISTRATOR);
  const { api } = deployment;
  const { body: admin } = await api.login(WITH_ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME);
  const { body: user } = await api.ownUser(admin.access_token);
  return {
    ...deployment,
    admin,
    adminId: String(user['id']),
    asAdmin: async (method, path, body) =>
      api.request(method, `/api/users/${path}`, { token: admin.access_token, body }),
  };
}
