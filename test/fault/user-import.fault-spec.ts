import { Origin } from '../../src/common/origin/index.js';
import {
  IMPORT_FORMATS,
  UserExport,
  UserImport,
  type SourceRecord,
} from '../../src/users/index.js';
import { startOwnCluster, type OwnCluster } from '../support/own-cluster.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const USERS = 3000;
/** From crypt_blowfish, wrapper.c. */
const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

describe('an import of users while a Redis master is lost', () => {
  let own: OwnCluster;
  let api: TestApp;
  beforeAll(async () => {
    own = await startOwnCluster();
    api = await startTestApp(own.variables);
  });
  afterAll(async () => {
    await api.close();
    await own.remove();
  });

  it('continues after the failover, and has each user once', async () => {
    const [master] = await own.masters();
    async function* records(): AsyncGenerator<SourceRecord> {
      for (let index = 0; index < USERS; index += 1) {
        if (index === USERS / 3) {
          own.signal(master!, 'SIGKILL');
        }
        yield await Promise.resolve({
          position: { element: index + 1 },
          value: { username: `user-${index}`, passwordHash: BCRYPT },
        });
      }
    }
    const refused: string[] = [];

    const counts = await api.app
      .get(UserImport)
      .run(
        IMPORT_FORMATS[0]!,
        records(),
        { onRefused: (_, { reason }) => refused.push(reason) },
        Origin.operator,
      );

    expect(refused).toEqual([]);
    expect(counts.imported + counts.present).toBe(USERS);
    const names: string[] = [];
    for await (const { username } of api.app.get(UserExport).users(false, Origin.operator)) {
      names.push(username);
    }
    expect(names.sort()).toEqual(
      Array.from({ length: USERS }, (_, index) => `user-${index}`).sort(),
    );
    for (const index of [0, USERS / 3 - 1, USERS / 3, USERS - 1]) {
      expect((await api.login(`user-${index}`, 'U*U')).status).toBe(200);
    }
  });
});
