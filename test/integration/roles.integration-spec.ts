import { Deadline } from '../../src/common/deadline/index.js';
import { Directory } from '../../src/near-cache/directory.js';
import type { NearCache } from '../../src/near-cache/index.js';
import { NotConfirmedError, RedisUnavailableError } from '../../src/redis-cluster/index.js';
import { RoleReader } from '../../src/roles/index.js';
import { RoleWriter } from '../../src/roles/write/index.js';
import { newPrefix, startCacheInstance, type CacheInstance } from '../support/near-cache.js';

const ROLES = { editor: ['notes:write'] };

interface Member {
  readonly instance: CacheInstance;
  readonly reader: RoleReader;
  readonly writer: RoleWriter;
  /** Number of times that this instance has read the roles from Redis. */
  readonly reads: () => number;
}

describe('stored roles', () => {
  const started: CacheInstance[] = [];
  let prefix: string;
  beforeEach(() => (prefix = newPrefix()));
  afterEach(async () => {
    await Promise.all(started.splice(0).map(async (each) => each.close()));
  });

  const member = async (
    options: Parameters<typeof startCacheInstance>[1] = {},
  ): Promise<Member> => {
    const instance = await startCacheInstance(prefix, options);
    started.push(instance);
    const { redis, cache } = instance;
    let reads = 0;
    const readConfirmed = redis.readConfirmed.bind(redis);
    redis.readConfirmed = async (script, ...rest) => {
      reads += script.name === 'read-roles.lua' ? 1 : 0;
      return readConfirmed(script, ...rest);
    };
    const reader = new RoleReader(redis, cache, { roles: ROLES });
    return {
      instance,
      reader,
      writer: new RoleWriter(redis, cache, reader),
      reads: () => reads,
    };
  };
  const put = async ({ writer }: Member, name: string, ...permissions: string[]): Promise<string> =>
    (await writer.put(name, { permissions }, undefined, Deadline.none)).outcome;
  const isGranted = async ({ reader }: Member, role: string, permission: string) =>
    (await reader.current(Deadline.none)).grant([role], [permission]);

  it('are read once, and then from memory, synchronously and for every request', async () => {
    const one = await member();
    expect(one.reader.recall()).toBeUndefined();
    await Promise.all(Array.from({ length: 20 }, async () => one.reader.current(Deadline.none)));
    expect(one.reads()).toBe(1);

    for (let count = 0; count < 100; count += 1) {
      expect(one.reader.recall()?.grant(['editor'], ['notes:write'])).toBe(true);
    }
    expect(await one.reader.current(Deadline.none)).toBe(one.reader.recall());
    expect(one.reads()).toBe(1);
  });

  it('leave the memory of every instance before their change returns', async () => {
    const [one, two] = [await member(), await member()];
    expect(await put(one, 'clerk', 'orders:read')).toBe('changed');
    for (let round = 0; round < 20; round += 1) {
      const permission = `orders:${round}`;
      expect(await isGranted(two, 'clerk', permission)).toBe(false);
      expect(two.reader.recall()).toBeDefined();
      expect(await put(one, 'clerk', permission)).toBe('changed');
      expect(two.reader.recall()).toBeUndefined();
      expect(await isGranted(two, 'clerk', permission)).toBe(true);
    }
  });

  it('are current on an instance that hears nothing on its channel', async () => {
    const [one, deaf] = [await member(), await member({ isDeaf: true })];
    await put(one, 'clerk', 'orders:read');
    expect(await isGranted(deaf, 'clerk', 'orders:read')).toBe(true);

    await put(one, 'clerk');

    expect(await isGranted(deaf, 'clerk', 'orders:read')).toBe(false);
  });

  it('are read for each request by an instance without a lease', async () => {
    const [one, outside] = [await member(), await member({ mayHoldLease: false })];
    await put(one, 'clerk', 'orders:read');
    expect(await isGranted(outside, 'clerk', 'orders:read')).toBe(true);
    expect(outside.reader.recall()).toBeUndefined();

    await put(one, 'clerk');

    expect(await isGranted(outside, 'clerk', 'orders:read')).toBe(false);
    expect(outside.reads()).toBe(2);
  });

  it('are not available when Redis does not confirm the read', async () => {
    const one = await member();
    const past = Deadline.after(0);

    await expect(one.reader.current(past)).rejects.toThrow(RedisUnavailableError);
    expect(one.reader.recall()).toBeUndefined();
  });

  it('are not reverted by a late change, and not changed twice by a repeated change', async () => {
    const one = await member();
    const change = async (id: string, ...permissions: string[]): Promise<string> => {
      const cache: Pick<NearCache, 'changeInSlot'> = {
        changeInSlot: async (subject, write, deadline) =>
          (await one.instance.context.get(Directory).change(subject, id, write, deadline)).reply,
      };
      const { redis } = one.instance;
      const writer = new RoleWriter(redis, cache as unknown as NearCache, one.reader);
      return (await writer.put('clerk', { permissions }, undefined, Deadline.none)).outcome;
    };
    const stored = async () => {
      const fresh = new RoleReader(one.instance.redis, (await member()).instance.cache, {});
      return (await fresh.current(Deadline.none)).find('clerk')?.permissions;
    };

    expect(await change('first', 'orders:read')).toBe('changed');
    expect(await change('second')).toBe('changed');
    await expect(change('first', 'orders:read')).rejects.toThrow(NotConfirmedError);
    expect(await stored()).toEqual([]);
    expect(await change('second', 'orders:write')).toBe('changed');
    expect(await stored()).toEqual([]);
    expect(await change('third', 'orders:write')).toBe('changed');
    expect(await stored()).toEqual(['orders:write']);
  });

  it('are checked against the permissions of the caller in the write itself', async () => {
    const one = await member();
    const { writer } = one;
    await put(one, 'clerk', 'orders:read');
    const by = async (callerRoles: string[], name: string, ...permissions: string[]) =>
      writer.put(name, { permissions }, { roles: callerRoles }, Deadline.none);

    expect(await by(['clerk'], 'new', 'orders:read')).toEqual({ outcome: 'changed' });
    const beyond = (permission: string) => ({ outcome: 'beyond', permission });
    expect(await by(['clerk'], 'new', 'notes:write')).toEqual(beyond('notes:write'));
    // The defaults of the code count, for the caller and for the role.
    expect(await by(['clerk', 'editor'], 'new', 'notes:write')).toEqual({ outcome: 'changed' });
    expect(await by(['clerk'], 'editor')).toEqual(beyond('notes:write'));
    // Unknown roles, also with names of inherited properties, grant nothing.
    expect(await by(['gone', '__proto__', 'constructor'], 'new')).toEqual(beyond('notes:write'));
    expect(await by([], 'empty')).toEqual({ outcome: 'changed' });
    expect(await writer.delete('empty', { roles: [] }, Deadline.none)).toEqual({
      outcome: 'changed',
    });
    expect(await writer.delete('empty', { roles: [] }, Deadline.none)).toEqual({
      outcome: 'unknown',
    });
    expect(await writer.delete('editor', { roles: ['editor'] }, Deadline.none)).toEqual({
      outcome: 'unknown',
    });

    // A client has permissions and no roles.
    const client = { permissions: ['orders:read'] };
    expect(
      await writer.put('new', { permissions: ['orders:read'] }, client, Deadline.none),
    ).toEqual(beyond('notes:write'));
    expect(
      await writer.put('other', { permissions: ['orders:read'] }, client, Deadline.none),
    ).toEqual({
      outcome: 'changed',
    });

    // A stored role replaces the default, for the caller and when it is deleted.
    await put(one, 'editor');
    expect(await by(['editor'], 'new', 'notes:write')).toEqual(beyond('notes:write'));
    expect(await writer.delete('editor', { roles: ['clerk'] }, Deadline.none)).toEqual(
      beyond('notes:write'),
    );
    expect(await writer.delete('editor', undefined, Deadline.none)).toEqual({ outcome: 'changed' });
    expect(await isGranted(one, 'editor', 'notes:write')).toBe(true);
  });
});
