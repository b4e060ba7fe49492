import { jest } from '@jest/globals';

import { Deadline } from '../../src/common/deadline/index.js';
import { InMemoryUserStore } from '../../src/contracts/index.js';
import { Origin } from '../../src/common/origin/index.js';
import type { AuditEvent } from '../../src/audit/index.js';
import { MissingRightError } from '../../src/redis-cluster/index.js';
import { UserReader } from '../../src/user-slot/read/index.js';
import {
  IMPORT_FORMATS,
  UserExport,
  UserImport,
  type SourceRecord,
} from '../../src/users/index.js';
import type { NewUser, UserStore } from '../../src/users/index.js';
import { nameKeysOf, UserNames } from '../../src/users/names/user-names.js';
import { ACCOUNTS, type Accounts } from '../../src/users/store/accounts.js';
import { keysByMaster, withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const [keyslot] = IMPORT_FORMATS;

async function* recordsOf(...values: readonly object[]): AsyncGenerator<SourceRecord> {
  for (const [index, value] of values.entries()) {
    yield await Promise.resolve({ position: { element: index + 1 }, value });
  }
}

/** A store of an earlier version of an application, which does not know the members of imported users. */
class EarlierStore extends InMemoryUserStore {
  override async create(
    { id, username, usernameKey, email, displayName, roles }: NewUser,
    passwordHash: Parameters<UserStore['create']>[1],
  ) {
    return super.create({ id, username, usernameKey, email, displayName, roles }, passwordHash);
  }
}

/** A store of an earlier version that has failed once after it has added a user. */
class FailingStore extends EarlierStore {
  private hasFailed = false;

  override async change(...args: Parameters<InMemoryUserStore['change']>) {
    if (!this.hasFailed) {
      this.hasFailed = true;
      throw new Error('the store fails');
    }
    return super.change(...args);
  }
}

describe('import of users by an application', () => {
  let api: TestApp;
  let events: AuditEvent[];
  const start = async (userStore?: { useClass: new () => UserStore }): Promise<void> => {
    events = [];
    api = await startTestApp(
      {},
      {
        ...(userStore ? { userStore } : {}),
        auditSink: {
          useFactory: () => ({ record: (event: AuditEvent) => void events.push(event) }),
        },
      },
    );
  };
  afterEach(async () => api.close());

  const run = async (...values: object[]) => {
    const refused: string[] = [];
    const counts = await api.app
      .get(UserImport)
      .run(
        keyslot!,
        recordsOf(...values),
        { onRefused: (_, { reason }) => refused.push(reason) },
        Origin.system,
      );
    return { counts, refused };
  };

  it.each([
    ['its own store', InMemoryUserStore],
    ['a store that does not know imported users', EarlierStore],
  ])('writes the users to %s', async (_, useClass) => {
    await start({ useClass });
    const users = [
      { username: 'ada', passwordHash: BCRYPT, email: 'ada@example.com', emailVerified: true },
      { username: 'ben', passwordHash: BCRYPT, disabled: true },
      { username: 'ADA', password: 'a plain text' },
    ];

    const first = await run(...users);
    const second = await run(...users);

    // The third record has the name of the first one, and no id that tells them apart.
    expect(first).toMatchObject({ counts: { imported: 2, present: 1, refused: 0 }, refused: [] });
    expect(second).toMatchObject({ counts: { imported: 0, present: 3, refused: 0 }, refused: [] });
    expect((await api.login('ada', 'U*U')).status).toBe(200);
    const { access_token } = (await api.login('ada', 'U*U')).body;
    expect((await api.ownUser(access_token)).body).toMatchObject({ emailVerified: true });
    expect((await api.login('ben', 'U*U')).status).toBe(401);
    expect(api.app.get(UserExport).isSupported).toBe(false);
  });

  it('disables a user when an earlier import has failed before it could', async () => {
    await start({ useClass: FailingStore });
    const user = { username: 'ben', passwordHash: BCRYPT, disabled: true };
    await expect(run(user)).rejects.toThrow();

    const { counts } = await run(user);

    expect(counts).toMatchObject({ imported: 0, present: 1, disabled: 1 });
    expect((await api.login('ben', 'U*U')).status).toBe(401);
  });

  it('counts and records the present users whom it disables, and keeps the last administrator', async () => {
    await start();
    const ada = { username: 'ada', passwordHash: BCRYPT };
    const ben = { username: 'ben', passwordHash: BCRYPT, roles: ['admin'] };
    await run(ada, ben);
    const { access_token: token } = (await api.login('ada', 'U*U')).body;
    const disabled = [ada, ben].map((user) => ({ ...user, disabled: true }));

    const { counts } = await run(...disabled);

    expect(counts).toMatchObject({ imported: 0, present: 2, disabled: 1, notDisabled: 1 });
    expect((await api.ownUser(token)).status).toBe(401);
    expect((await api.login('ben', 'U*U')).status).toBe(200);
    const changes = events.filter(({ type }) => type === 'access-changed');
    expect(changes).toMatchObject([{ actor: 'system', details: { disabled: true } }]);
    expect((await run(...disabled)).counts).toMatchObject({ present: 2, disabled: 0 });
  });

  it('confirms the address of a present user, unless it has changed since', async () => {
    await start();
    const user = { username: 'ada', passwordHash: BCRYPT, email: 'ada@example.com' };
    await run(user);
    const { access_token: token } = (await api.login('ada', 'U*U')).body;
    const verified = async (record: object): Promise<unknown> => {
      expect((await run(record)).counts).toMatchObject({ present: 1 });
      return (await api.ownUser(token)).body;
    };

    expect(await verified({ ...user, emailVerified: true })).toMatchObject({ emailVerified: true });
    const { id } = (await api.ownUser(token)).body;
    const email = 'new@example.com';
    await api.app.get<Accounts>(ACCOUNTS).update(String(id), { email }, Deadline.none);
    expect(await verified({ ...user, emailVerified: true })).toMatchObject({
      email,
      emailVerified: false,
    });
  });

  it('writes a user again whom only a master that was replaced has', async () => {
    await start();
    const user = { username: 'ada', passwordHash: BCRYPT };
    await run(user);
    const accounts = api.app.get<Accounts>(ACCOUNTS);
    const find = await accounts.locate('ada', Deadline.none);
    const found = await find();
    const lost = (await keysByMaster(`${api.keyPrefix}v1:{user.${found!.id}`)).flat();
    expect(lost.length).toBeGreaterThan(0);
    await withRedis(async (_, cluster) => {
      await Promise.all(lost.map(async (key) => cluster.del(key)));
    });
    const stale = jest
      .spyOn(accounts, 'locate')
      .mockImplementation(() => Promise.resolve(() => Promise.resolve(found)));

    const { counts } = await run(user);
    stale.mockRestore();

    expect(counts).toMatchObject({ imported: 1, present: 0 });
    expect((await api.login('ada', 'U*U')).status).toBe(200);
  });

  it('completes an interrupted import with another spelling of the name', async () => {
    await start();
    await run({ username: 'Ada', passwordHash: BCRYPT });
    // As if the name had not been confirmed.
    const names = api.app.get(UserNames);
    const { id } = (await api.app.get<Accounts>(ACCOUNTS).findByUsername('ada', Deadline.none))!;
    await Promise.all(nameKeysOf('Ada').map(async (key) => names.release(key, id, Deadline.none)));

    const { counts, refused } = await run({ username: 'ADA', passwordHash: BCRYPT });

    expect(refused).toEqual([]);
    expect(counts).toMatchObject({ imported: 1 });
    expect((await api.login('ada', 'U*U')).status).toBe(200);
    expect((await api.register('ada')).status).toBe(409);
  });

  it('is recorded once, with the numbers and without names', async () => {
    await start();
    await run({ username: 'ada', passwordHash: BCRYPT }, { username: 'ben' });
    for await (const user of api.app.get(UserExport).users(true, Origin.operator)) {
      expect(user).toMatchObject({ username: 'ada', passwordHash: BCRYPT });
    }

    expect(events.filter(({ type }) => type.startsWith('users-'))).toEqual([
      expect.objectContaining({
        type: 'users-imported',
        result: 'success',
        actor: 'system',
        details: {
          format: 'keyslot',
          imported: 1,
          present: 0,
          disabled: 0,
          notDisabled: 0,
          refused: 1,
          ignored: 0,
        },
      }),
      expect.objectContaining({
        type: 'users-exported',
        result: 'success',
        actor: 'operator',
        details: { users: 1, passwordHashes: true },
      }),
    ]);
  });

  it('says when an export cannot find out whether the directory has all users', async () => {
    await start();
    await run({ username: 'ada', passwordHash: BCRYPT });
    const scan = jest
      .spyOn(api.app.get(UserReader), 'ids')
      .mockRejectedValue(new MissingRightError('scan'));
    let impossible = 0;

    const exported = [];
    const comparison = { onImpossible: () => void (impossible += 1) };
    for await (const user of api.app.get(UserExport).users(false, Origin.operator, comparison)) {
      exported.push(user.username);
    }
    scan.mockRestore();

    expect(impossible).toBe(1);
    expect(exported).toEqual(['ada']);
  });

  it('does not use an id that another user has had within the last two hours', async () => {
    await start();
    const { id, username } = await api.newUser('former');
    const { body } = await api.login(username);
    const deletion = { token: body.access_token, body: { password: 'violet engines hum at dawn' } };
    expect((await api.request('DELETE', '/api/user', deletion)).status).toBe(204);

    const { refused } = await run({ id, username: 'successor', passwordHash: BCRYPT });

    expect(refused).toEqual(['id-in-use']);
    expect((await api.register('successor')).status).toBe(201);
  });
});
