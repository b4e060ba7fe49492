import { randomUUID } from 'node:crypto';

import { Deadline } from '../../src/common/deadline/index.js';
import { decode } from '../support/forge.js';
import { GOOD_PASSWORD, type Answer } from '../support/http-client.js';
import { Instance } from '../support/instance.js';
import { newPrefix, startCacheInstance } from '../support/near-cache.js';
import { keysByMaster } from '../support/redis.js';
import { usersOn } from '../support/users.js';

const CREATED_MESSAGE = 'The administrator of BOOTSTRAP_ADMIN_USERNAME was created.';
/** The expected log entry for the operator, with level "error" (50). */
const NAME_TAKEN_MESSAGE =
  '"msg":"No administrator was created: the name in BOOTSTRAP_ADMIN_USERNAME';
const PASSWORD = 'seven lanterns drift downstream';

describe('the first administrator', () => {
  const running: Instance[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((instance) => instance.stop()));
  });

  /** Starts several instances of one deployment at the same time. */
  const start = async (
    count: number,
    keyPrefix: string,
    variables: Record<string, string> = {},
  ): Promise<Instance[]> => {
    const started = await Promise.all(
      Array.from({ length: count }, () =>
        Instance.start({ LOG_LEVEL: 'info', ...variables, REDIS_KEY_PREFIX: keyPrefix }),
      ),
    );
    running.push(...started);
    return started;
  };
  const administrator = (username: string, password = PASSWORD): Record<string, string> => ({
    BOOTSTRAP_ADMIN_USERNAME: username,
    BOOTSTRAP_ADMIN_PASSWORD: password,
  });
  const usersUnder = async (keyPrefix: string): Promise<number> =>
    (await keysByMaster(keyPrefix)).flat().filter((key) => key.endsWith(':record')).length;
  const times = (instances: Instance[], text: string): number =>
    instances.reduce((sum, instance) => sum + instance.output().split(text).length - 1, 0);

  it('is created once by two instances that start together, even with closed registration (105)', async () => {
    const keyPrefix = newPrefix();
    const variables = { ...administrator('root'), REGISTRATION: 'closed' };
    const instances = await start(2, keyPrefix, variables);

    expect(times(instances, CREATED_MESSAGE)).toBe(1);
    expect(await usersUnder(keyPrefix)).toBe(1);
    for (const instance of instances) {
      const { body: tokens } = await instance.login('root', PASSWORD);
      expect(decode(tokens.access_token).payload).toMatchObject({ roles: ['admin'] });
      const { body: user } = await instance.ownUser(tokens.access_token);
      expect(user).toMatchObject({ username: 'root', roles: ['admin'] });
      const read = await instance.request('GET', `/api/users/${String(user['id'])}`, {
        token: tokens.access_token,
      });
      expect(read.status).toBe(200);
      expect((await instance.register('somebody')).status).toBe(403);
    }
    // 90
    expect(times(instances, PASSWORD)).toBe(0);

    // A later start creates no second administrator and ignores a changed password setting.
    const later = await start(1, keyPrefix, administrator('root', `${PASSWORD}, changed`));
    expect(times(later, CREATED_MESSAGE)).toBe(0);
    expect(times(later, NAME_TAKEN_MESSAGE)).toBe(0);
    expect((await later[0]!.login('root', `${PASSWORD}, changed`)).status).toBe(401);
    expect((await later[0]!.login('root', PASSWORD)).status).toBe(200);
    expect(await usersUnder(keyPrefix)).toBe(1);
  });

  it('is not created if the name exists in any spelling; the existing user is not changed', async () => {
    const keyPrefix = newPrefix();
    const [first] = (await start(1, keyPrefix)) as [Instance];
    const user = await first.newUser('early.bird');

    const [second] = (await start(1, keyPrefix, administrator('Early.BIRD'))) as [Instance];

    expect(times([second], CREATED_MESSAGE)).toBe(0);
    expect(times([second], NAME_TAKEN_MESSAGE)).toBe(1);
    expect((await second.login('early.bird', PASSWORD)).status).toBe(401);
    const { body: tokens } = await second.login('early.bird', GOOD_PASSWORD);
    for (const token of [user.tokens.access_token, tokens.access_token]) {
      expect((await second.ownUser(token)).body).toMatchObject({ id: user.id, roles: [] });
      expect((await second.request('GET', `/api/users/${user.id}`, { token })).status).toBe(403);
    }
  });

  it('is created before the first request is served, so that nobody else can register its name', async () => {
    const keyPrefix = newPrefix();
    const variables = { LOG_LEVEL: 'info', ...administrator('root'), REDIS_KEY_PREFIX: keyPrefix };
    const instance = await Instance.launch(variables);
    running.push(instance);
    const ready = instance.untilReady();
    let isReady = false;
    void ready.then(() => (isReady = true));
    const answers: Answer<unknown>[] = [];
    const names = ['root', 'Root', 'ｒｏｏｔ', ' root\u00ad'];
    // Registrations start as soon as the port is open.
    for (let count = 0; !isReady; count += 1) {
      answers.push(await instance.register(names[count % names.length]!));
    }
    for (const name of names) {
      answers.push(await instance.register(name));
    }

    for (const { status, body } of answers) {
      const { code } = body as { code: string };
      expect({ status, code }).toEqual(
        status === 503 ? { status, code: 'not-ready' } : { status: 409, code: 'username-taken' },
      );
    }
    expect(times([instance], CREATED_MESSAGE)).toBe(1);
    const { body: tokens } = await instance.login('root', PASSWORD);
    expect(decode(tokens.access_token).payload).toMatchObject({ roles: ['admin'] });

    // The same holds after that administrator is deleted.
    const { access_token: token } = tokens;
    const second = await instance.newUser();
    const roles = { token, body: { roles: ['admin'] } };
    expect((await instance.request('PATCH', `/api/users/${second.id}`, roles)).status).toBe(200);
    const removal = { token, body: { password: PASSWORD } };
    expect((await instance.request('DELETE', '/api/user', removal)).status).toBe(204);
    for (const name of names) {
      expect((await instance.register(name)).status).toBe(409);
    }
  });

  it('delays the start while Redis is unavailable; only probes are answered', async () => {
    const instance = await Instance.launch({
      LOG_LEVEL: 'info',
      ...administrator('root'),
      REDIS_NODES: '127.0.0.1:1',
    });
    running.push(instance);

    const requests = [
      ['POST', '/api/users', { username: 'ada', password: PASSWORD }],
      ['POST', '/api/login', { username: 'ada', password: PASSWORD }],
      ['GET', '/api/user', undefined],
      ['GET', '/.well-known/jwks.json', undefined],
    ] as const;
    for (const [method, path, body] of requests) {
      const answer = await instance.request(method, path, { body });
      expect(answer).toMatchObject({ status: 503, body: { code: 'not-ready' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await instance.request('GET', '/health/live')).status).toBe(200);
    expect(await instance.request('GET', '/health/ready')).toMatchObject({
      status: 503,
      body: { checks: { isStarting: true } },
    });
  });

  it('is created even if a registration of its name was interrupted', async () => {
    const keyPrefix = newPrefix();
    const interrupted = await startCacheInstance(keyPrefix);
    const { names } = usersOn(interrupted, { nameClaimTtlMs: 2000 });
    expect(
      await names.claim({ text: 'root', isSkeleton: false }, randomUUID(), Deadline.none),
    ).toBe(true);
    await interrupted.close();

    const instances = await start(1, keyPrefix, administrator('root'));

    expect(times(instances, CREATED_MESSAGE)).toBe(1);
    expect((await instances[0]!.login('root', PASSWORD)).status).toBe(200);
  });

  it('is not created unless it is configured (105)', async () => {
    const keyPrefix = newPrefix();
    const [instance] = (await start(1, keyPrefix)) as [Instance];

    expect(await usersUnder(keyPrefix)).toBe(0);
    expect((await instance.login('admin', 'admin')).status).toBe(401);
  });

  it.each([
    [
      'a short password',
      administrator('root', 'hunter2'),
      'BOOTSTRAP_ADMIN_PASSWORD is refused (too-short): Too short. Minimum number of characters: 15.',
    ],
    [
      'its name as password',
      administrator('rootrootrootroot', 'rootrootrootroot'),
      'PASSWORD is refused',
    ],
    ['an invalid name', administrator('ro ot'), 'BOOTSTRAP_ADMIN_USERNAME is refused'],
    ['no password', { BOOTSTRAP_ADMIN_USERNAME: 'root' }, 'must be set together'],
  ])('cannot have %s: the instance logs the reason and exits', async (_, variables, message) => {
    const error = await Instance.start({
      LOG_LEVEL: 'info',
      ...variables,
      REDIS_KEY_PREFIX: newPrefix(),
    }).then(
      () => 'it started',
      ({ message }: Error) => message,
    );

    expect(error).toContain(message);
    expect(error).not.toContain(variables['BOOTSTRAP_ADMIN_PASSWORD'] ?? PASSWORD);
    expect(error).not.toContain('    at ');
  });
});
