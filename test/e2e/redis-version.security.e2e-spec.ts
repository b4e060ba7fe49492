import { lacksLuaFixes } from '../../src/redis-cluster/server-versions.js';
import { Instance } from '../support/instance.js';
import { newPrefix } from '../support/near-cache.js';
import { eventually } from '../support/own-cluster.js';
import { withRedis } from '../support/redis.js';

describe('the version of Redis', () => {
  it('is told once at a start in production when it came before the fixes of Lua (100)', async () => {
    const info = await withRedis(([master]) => master!.info('server'));
    const version = /redis_version:(\S+)/.exec(info)![1]!;
    const instance = await Instance.start({
      NODE_ENV: 'production',
      ALLOW_INSECURE_HTTP: 'true',
      LOG_LEVEL: 'info',
      REDIS_KEY_PREFIX: newPrefix(),
    });
    const told = (): string[] =>
      instance.output().match(/"msg":"Redis [\d., ]+ has known holes/g) ?? [];
    const expected = lacksLuaFixes(version) ? [`"msg":"Redis ${version} has known holes`] : [];

    await eventually('it is told', 5000, () => Promise.resolve(told().length === expected.length));

    expect(told()).toEqual(expected);
    await instance.stop();
  });
});
