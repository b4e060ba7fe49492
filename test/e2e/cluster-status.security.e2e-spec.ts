import { randomUUID } from 'node:crypto';

import type { ClusterResponse } from '../../src/cluster-status/dto/cluster.response.dto.js';
import type { ChangeEventResponse } from '../../src/cluster-status/dto/change-event.response.dto.js';
import type { HolderResult } from '../../src/near-cache/index.js';
import { startAdministration, type Administration } from '../support/deployment.js';
import { eventsOf, nextEvent, type ServerSentEvent } from '../support/event-stream.js';
import type { Answer } from '../support/http-client.js';
import { runKeysCommand } from '../support/keys-command.js';
import { eventually } from '../support/own-cluster.js';
import { changeAccount, createAccount, tokenOf } from '../support/service-accounts.js';
import { within } from '../support/within.js';

const SLOTS = 16_384;
/** Shorter than the time between two events of state, which could only end a stream late. */
const END_TIMEOUT_MS = 4000;

interface Keys {
  readonly items: readonly { readonly kid: string; readonly state: string }[];
}

async function endOf(events: AsyncIterator<ServerSentEvent>): Promise<void> {
  const rest = async (): Promise<void> => {
    for (let one = await events.next(); !one.done; one = await events.next());
  };
  await within('the end of the stream', END_TIMEOUT_MS, rest());
}

/** What the console shows, and who may see and change it. */
describe('the state of the cluster', () => {
  let deployment: Administration;
  beforeAll(async () => {
    deployment = await startAdministration();
  });
  afterAll(async () => deployment.stop());

  const as = async <Body = Record<string, unknown>>(
    token: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<Body>> => deployment.api.request<Body>(method, path, { token, body });
  const asAdmin = async <Body>(method: string, path: string, body?: unknown) =>
    as<Body>(deployment.admin.access_token, method, path, body);

  it('contains the nodes, the slots, and every instance with its memory and version', async () => {
    const read = async (): Promise<ClusterResponse> =>
      (await asAdmin<ClusterResponse>('GET', '/api/cluster')).body;
    await eventually('both instances have reported', 30_000, async () =>
      Promise.resolve((await read()).instances?.length === 2),
    );
    const state = await read();

    expect(state).toMatchObject({
      status: 'ok',
      redis: { isHealthy: true, uncoveredSlots: 0, unreachedMasters: 0, singleCopyShards: [] },
      hasSigningKeys: true,
      trustsMemory: true,
    });
    const { nodes } = state.redis!;
    const masters = nodes.filter(({ role }) => role === 'master');
    expect(masters).toHaveLength(3);
    const ids = masters.map(({ id }) => id);
    for (const { masterId, isUp, role } of nodes) {
      expect(isUp && (role === 'master' || ids.includes(masterId!))).toBe(true);
    }
    const slots = masters.flatMap((node) => node.slots.map(([first, last]) => last! - first! + 1));
    expect(slots.reduce((sum, count) => sum + count, 0)).toBe(SLOTS);
    for (const instance of state.instances!) {
      expect(instance).toMatchObject({ isTrusted: true, version: expect.stringMatching(/^\d/) });
      expect(instance.processBytes).toBeGreaterThan(1e6);
      expect(instance).not.toHaveProperty('service');
    }
    expect(state.instances!.map(({ holderId }) => holderId)).toContain(state.answeredBy);
  });

  it('is shown as it changes: a revocation goes out to each holder and comes back', async () => {
    const { api, other, admin } = deployment;
    const user = await api.newUser();
    const watcher = await api.login(user.username);
    const path = `/api/users/${user.id}`;
    await other.ownUser(user.tokens.access_token);
    const { body: held } = await asAdmin<{ items: { holderId: string }[] }>(
      'GET',
      `${path}/holders`,
    );
    expect(held.items.length).toBeGreaterThan(0);

    // The stream belongs to a session of its own, which then ends.
    await asAdmin('PATCH', path, { roles: ['admin'] });
    const response = await fetch(`${other.url}/api/cluster/events`, {
      headers: { authorization: `Bearer ${watcher.body.access_token}` },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = eventsOf(response);
    const { data: state } = await nextEvent<ClusterResponse>(
      events,
      'the state',
      ({ type }) => type === 'status',
    );
    expect(state.redis?.nodes).toHaveLength(6);
    await nextEvent<{ isLive: boolean }>(
      events,
      'the connection',
      ({ type, data }) => type === 'connection' && data.isLive,
    );

    const target = await api.newUser();
    await other.ownUser(target.tokens.access_token);
    await api.ownUser(target.tokens.access_token);
    const isOf = ({ type, data }: ServerSentEvent<ChangeEventResponse>): boolean =>
      type === 'change' && data.subject.id === target.id;
    await other.request('DELETE', `/api/users/${target.id}/sessions`, {
      token: admin.access_token,
    });
    const { data: announced } = await nextEvent(events, 'the announcement', isOf);
    const { data: settled } = await nextEvent(events, 'the end of the change', isOf);

    expect(announced).toMatchObject({ stage: 'announced', subject: { kind: 'user' } });
    expect(announced.holders).toHaveLength(1);
    expect(settled).toMatchObject({ stage: 'settled', id: announced.id, outcome: 'acknowledged' });
    const [holder] = settled.holders as readonly HolderResult[];
    expect(holder!.instance).toBe(announced.holders[0]);
    expect(holder!.ms).toBeGreaterThan(0);

    await asAdmin('DELETE', `${path}/sessions`);
    await endOf(events);
  });

  it('is not shown any longer to a caller who loses the permission', async () => {
    const { api, other } = deployment;
    const role = `watcher-${randomUUID()}`;
    const setRole = async (...permissions: string[]) => {
      const { status } = await asAdmin('PUT', `/api/roles/${role}`, { permissions });
      expect(status).toBe(204);
    };
    await setRole('cluster:read');
    const user = await api.newUser();
    const path = `/api/users/${user.id}`;
    const account = await createAccount(api, deployment.admin.access_token, {
      permissions: ['cluster:read'],
    });
    const accountToken = await tokenOf(other, account);
    const open = async (token: string) => {
      const response = await fetch(`${other.url}/api/cluster/events`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(response.status).toBe(200);
      const events = eventsOf(response);
      await events.next();
      return events;
    };
    const change = async (body: object) => {
      expect((await asAdmin('PATCH', path, body)).status).toBe(200);
    };

    await change({ roles: [role] });
    const ofDemoted = await open(user.tokens.access_token);
    // Other changes of the user end nothing.
    await change({ displayName: 'Ada' });
    await nextEvent(ofDemoted, 'the next state', ({ type }) => type === 'status');
    await change({ roles: [] });
    await endOf(ofDemoted);

    await change({ roles: [role] });
    const ofNarrowed = await open(user.tokens.access_token);
    await setRole('users:read');
    await endOf(ofNarrowed);

    const ofAccount = await open(accountToken);
    await changeAccount(api, deployment.admin.access_token, account, { permissions: [] });
    await endOf(ofAccount);
  });

  it('is streamed ten times to a session or a service account, and a stream that ends frees its place', async () => {
    const { api, admin } = deployment;
    const user = await api.newUser();
    const setRoles = async (...roles: string[]) =>
      asAdmin('PATCH', `/api/users/${user.id}`, { roles });
    await setRoles('admin');
    const { body: other } = await api.login(user.username);
    const account = await createAccount(api, admin.access_token, { permissions: ['cluster:read'] });
    const open = async (token: string) => {
      const closing = new AbortController();
      const { status, headers, body } = await fetch(`${api.url}/api/cluster/events`, {
        headers: { authorization: `Bearer ${token}` },
        signal: closing.signal,
      });
      return { status, headers, body: body!, close: () => closing.abort() };
    };
    const openTwelve = async (token: string) => {
      const streams = await Promise.all(Array.from({ length: 12 }, async () => open(token)));
      return {
        opened: streams.filter(({ status }) => status === 200),
        refused: streams.filter(({ status }) => status === 429),
      };
    };

    const { opened, refused } = await openTwelve(user.tokens.access_token);
    expect([opened.length, refused.length]).toEqual([10, 2]);
    expect(refused[0]!.headers.get('retry-after')).toBe('30');
    expect(await new Response(refused[0]!.body).json()).toMatchObject({ code: 'too-many-streams' });
    const ofOthers = [await open(other.access_token), await open(await tokenOf(api, account))];
    expect(ofOthers.map(({ status }) => status)).toEqual([200, 200]);

    // A client that just disconnects.
    opened[0]!.close();
    await eventually('a place is free', END_TIMEOUT_MS, async () => {
      const { status } = await open(user.tokens.access_token);
      return status === 200;
    });
    expect((await open(user.tokens.access_token)).status).toBe(429);

    // Streams that the instance ends.
    await setRoles();
    await within('the end of the streams', END_TIMEOUT_MS, new Response(opened[1]!.body).text());
    await setRoles('admin');
    const again = await openTwelve(user.tokens.access_token);
    expect([again.opened.length, again.refused.length]).toEqual([10, 2]);
    [...again.opened, ...ofOthers].forEach(({ close }) => close());
  });

  it('and the keys are for those with the permissions only', async () => {
    const { tokens, id } = await deployment.api.newUser();
    const routes = [
      ['GET', '/api/cluster'],
      ['GET', '/api/cluster/events'],
      ['GET', `/api/users/${id}/holders`],
      ['GET', '/api/keys'],
      ['POST', '/api/keys'],
      ['DELETE', `/api/keys/${randomUUID()}`],
    ] as const;
    const statuses = await Promise.all(
      routes.flatMap(([method, path]) => {
        const body = method === 'POST' ? { replaces: randomUUID() } : undefined;
        return [
          as(tokens.access_token, method, path, body),
          deployment.api.request(method, path, { body }),
        ].map(async (answer) => (await answer).status);
      }),
    );
    expect(statuses).toEqual(routes.flatMap(() => [403, 401]));

    const own = await as(tokens.access_token, 'GET', '/api/user/permissions');
    expect(own.body).toEqual({ permissions: [] });
    const { body } = await asAdmin<{ permissions: string[] }>('GET', '/api/user/permissions');
    expect(body.permissions).toEqual(expect.arrayContaining(['cluster:read', 'keys:write']));
  });

  it('keys can be listed, replaced once, and withdrawn, also when there are too many of them', async () => {
    const keys = async (): Promise<Keys['items']> =>
      (await asAdmin<Keys>('GET', '/api/keys')).body.items;
    const [first] = await keys();
    expect(first).toMatchObject({ state: 'signing' });
    expect(JSON.stringify(await keys())).not.toContain('encrypted');

    const rotate = async () =>
      asAdmin<Keys>('POST', '/api/keys', { replaces: first!.kid, now: true });
    expect((await rotate()).status).toBe(200);
    const { body } = await rotate();
    expect(body.items.map(({ state }) => state)).toEqual(['signing', 'retired']);

    const next = async () => {
      const replaces = (await keys()).find(({ state }) => state === 'signing')!.kid;
      return asAdmin('POST', '/api/keys', { replaces, now: true });
    };
    for (let count = 3; count <= 10; count += 1) {
      expect((await next()).status).toBe(200);
    }
    expect(await next()).toMatchObject({ status: 409, body: { code: 'too-many-signing-keys' } });
    expect(await keys()).toHaveLength(10);
    const command = await runKeysCommand({ REDIS_KEY_PREFIX: deployment.api.keyPrefix }, 'rotate');
    expect(command).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^No new key was made: .+ Nothing was changed\.\n$/),
    });

    expect((await asAdmin('DELETE', `/api/keys/${randomUUID()}`)).status).toBe(404);
    expect((await asAdmin('DELETE', `/api/keys/${first!.kid}`)).status).toBe(204);
    await deployment.expectEverywhere(401, deployment.admin);
  });
});
