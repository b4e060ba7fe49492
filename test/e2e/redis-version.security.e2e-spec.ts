import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';

import { RedisCluster } from '../../src/redis-cluster/index.js';
import { REDIS_CLUSTER_OPTIONS } from '../../src/redis-cluster/redis-cluster.module-definition.js';
import type { RedisClusterOptions } from '../../src/redis-cluster/redis-cluster.options.js';
import { ServerVersions } from '../../src/redis-cluster/server-versions.js';
import { withRedis } from '../support/redis.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('the version of Redis', () => {
  let api: TestApp;
  let warnings: string[];
  beforeAll(async () => {
    api = await startTestApp({ NODE_ENV: 'production', ALLOW_INSECURE_HTTP: 'true' });
  });
  beforeEach(() => {
    warnings = [];
    jest
      .spyOn(Logger.prototype, 'warn')
      .mockImplementation((text) => void warnings.push(String(text)));
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => api.close());

  const optionsOf = ({ app }: TestApp): RedisClusterOptions =>
    app.get<RedisClusterOptions>(REDIS_CLUSTER_OPTIONS, { strict: false });
  const helloReplies = async (): Promise<unknown[][]> =>
    (await api.app.get(RedisCluster, { strict: false }).askEveryNode(['HELLO'])) as unknown[][];
  /** What is told at a start when every node replies so. */
  const toldOf = async (replies: unknown[][]): Promise<string[]> => {
    const asked = Promise.resolve(replies);
    const redis = { askEveryNode: () => asked } as unknown as RedisCluster;
    new ServerVersions(redis, optionsOf(api)).onApplicationBootstrap();
    await asked;
    await new Promise((resolve) => setImmediate(resolve));
    return warnings.map((text) => /^Redis ([\d., ]+) has known holes/.exec(text)![1]!);
  };

  it('is read from what every node really replies', async () => {
    const info = await withRedis(async ([master]) => master!.info('server'));
    const [, version] = /redis_version:(\S+)/.exec(info)!;
    const replies = await helloReplies();

    expect(replies).toHaveLength(6);
    expect(replies.map((fields) => fields[fields.indexOf('version') + 1])).toEqual(
      replies.map(() => version),
    );
  });

  it.each([
    ['6.2.14', ['6.2.14']],
    ['7.2.10', ['7.2.10']],
    ['7.2.11', []],
    ['8.2.2', []],
    ['9.0.0', []],
  ])(
    'is told once at a start in production when it came before the fixes of Lua (100): %s',
    async (version, told) => {
      const replies = (await helloReplies()).map((fields) =>
        fields.map((field, index) => (fields[index - 1] === 'version' ? version : field)),
      );

      expect(await toldOf(replies)).toEqual(told);
    },
  );

  it('is looked at in production alone', async () => {
    expect(optionsOf(api).warnsOfOldServers).toBe(true);
    const elsewhere = await startTestApp();
    expect(optionsOf(elsewhere).warnsOfOldServers).toBe(false);
    await elsewhere.close();
  });
});
