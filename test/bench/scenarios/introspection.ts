import { HttpClient } from '../../support/http-client.js';
import { basic, createAccount, tokenOf, type TestAccount } from '../../support/service-accounts.js';
import { measure, measureOnce, warmUp } from '../measure.js';
import type { Measurement } from '../measures.js';
import { ownUser, type LoadRequest } from '../request-list.js';
import type { Scenario } from '../scenario.js';
import type { ServerProcess } from '../server-process.js';
import { rotated } from '../statistics.js';

/** In the usual ten seconds of a measurement: 100,000. A faster server ends the measurement early. */
const DISTINCT_PER_SECOND = 10_000;
const CONCURRENT_TOKEN_REQUESTS = 32;
const ADMINISTRATOR = {
  BOOTSTRAP_ADMIN_USERNAME: 'bench-administrator',
  BOOTSTRAP_ADMIN_PASSWORD: 'violet engines hum at dawn',
};

const OWN_USER = 'GET /api/user, one known token';
const REPEATED = 'introspection of one known token';
const DISTINCT = 'introspection, each token asked about once';

export const introspection: Scenario = {
  name: 'introspection',
  about:
    'POST /oauth/introspect by a service account, about the token of another one: the same token again and again, and tokens ' +
    'that the instance has not seen, whose signatures it checks. For comparison, a guarded read.',
  baseline: OWN_USER,
  prepare: async ([stage], { seconds, connections }) => {
    const server = await stage.startKeyslot(ADMINISTRATOR);
    const [session] = await stage.seedUsers(1, 1);
    const api = new HttpClient(server.url);
    const { body: administrator } = await api.login(
      ADMINISTRATOR.BOOTSTRAP_ADMIN_USERNAME,
      ADMINISTRATOR.BOOTSTRAP_ADMIN_PASSWORD,
    );
    const create = async (): Promise<TestAccount> => createAccount(api, administrator.access_token);
    const [asking, asked] = [await create(), await create()];
    const header = `Authorization: ${basic(asking).authorization}`;
    const about = (token: string): LoadRequest => ({
      method: 'POST',
      path: '/oauth/introspect',
      header,
      form: { token },
    });

    const cycle = async (request: LoadRequest): Promise<Measurement> => {
      const file = stage.writeRequests([request]);
      const load = { file, order: 'cycle', connections, seconds } as const;
      await warmUp(server, load);
      return measure(server, load);
    };
    const known = await tokenOf(api, asked);
    const work: [string, () => Promise<Measurement>][] = [
      [OWN_USER, async () => cycle(ownUser(session!.header))],
      [REPEATED, async () => cycle(about(known))],
      [
        DISTINCT,
        async () => {
          const tokens = await newTokens(api, asked, DISTINCT_PER_SECOND * seconds);
          return measureOnce(stage, server, tokens.map(about), { seconds, connections });
        },
      ],
    ];
    return async (round) => {
      const measured = new Map<string, Measurement>();
      for (const [name, run] of rotated(work, round)) {
        measured.set(name, await run());
      }
      // The load compares only the status.
      await expectActive(server, about(known));
      return Object.fromEntries(work.map(([name]) => [name, measured.get(name)!]));
    };
  },
};

async function newTokens(api: HttpClient, account: TestAccount, count: number): Promise<string[]> {
  const tokens: string[] = [];
  const request = async (): Promise<void> => {
    while (tokens.length < count) {
      tokens.push(await tokenOf(api, account));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_TOKEN_REQUESTS }, request));
  return tokens.slice(0, count);
}

async function expectActive(
  { url }: Pick<ServerProcess, 'url'>,
  { path, header = '', form = {} }: LoadRequest,
): Promise<void> {
  const [name = '', value = ''] = header.split(': ');
  const body = new URLSearchParams(form);
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { [name]: value },
    body,
  });
  const answer = (await response.json()) as { readonly active?: boolean };
  if (answer.active !== true) {
    throw new Error(`the token is not active: ${response.status}`);
  }
}
