import type { BeforeApplicationShutdown } from '@nestjs/common';

import { Roles, type Permission, type RolesOptions } from '../../common/authentication/index.js';
import { Deadline } from '../../common/deadline/index.js';
import { retryUntilDone } from '../../common/retry/index.js';
import { CacheKey, type NearCache, type SlotRead } from '../../near-cache/index.js';
import { LuaScript, type RedisCluster } from '../../redis-cluster/index.js';
import { ROLE_FIELD, rolesKey, ROLES_SUBJECT, type StoredRole } from './roles-slot.js';

const ROLES = new CacheKey<Roles>(ROLES_SUBJECT);

const load = LuaScript.loaderFor(import.meta.url);
const readRoles = load('read-roles', (reply) => reply as string[]);

/**
 * Reads the current roles: those of the code and those that are stored in the cluster. Every instance keeps them in the near
 * cache, so a request with a token that is in memory needs no look-up. When a change of a role has returned, no instance uses
 * the old role.
 */
export class RoleReader implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();
  /** The last roles with their stored text. The same text yields the same object. */
  private last: { readonly text: string; readonly roles: Roles } | undefined;
  /** The roles without those that are stored in the cluster. */
  readonly defaults: Roles;

  /**
   * @param options the roles of the code
   * @throws Error when the code redefines `admin`
   */
  constructor(
    private readonly redis: RedisCluster,
    private readonly cache: NearCache,
    private readonly options: RolesOptions,
  ) {
    this.defaults = new Roles(options);
  }

  /** The roles of the code, and the permissions that each one grants. */
  get ofCode(): NonNullable<RolesOptions['roles']> {
    return this.options.roles ?? {};
  }

  /** @returns the roles, if they are in memory and may be trusted. It never asks Redis */
  recall(): Roles | undefined {
    return this.cache.peek(ROLES, { isCounted: false });
  }

  /**
   * @returns the roles, from memory or from Redis
   * @throws RedisUnavailableError
   */
  async current(deadline: Deadline): Promise<Roles> {
    return this.cache.getFromSlot(ROLES, async (read) => this.load(read, deadline), {
      isCounted: false,
      isLasting: true,
    });
  }

  /**
   * Waits without a time limit until the roles are loaded, or the application closes.
   *
   * @returns the roles; undefined when the application closes
   */
  async untilLoaded(): Promise<Roles | undefined> {
    let roles: Roles | undefined;
    await retryUntilDone(async () => Boolean((roles = await this.current(Deadline.none))), {
      isTransient: () => true,
      signal: this.closing.signal,
    });
    return roles;
  }

  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  private async load(read: SlotRead, deadline: Deadline): Promise<Roles> {
    const keys = [rolesKey(this.redis.keys, 'set'), rolesKey(this.redis.keys, 'fence')];
    const stored = await read({ script: readRoles, keys, args: [] }, deadline);
    const text = JSON.stringify(stored);
    if (this.last?.text !== text) {
      const { permissions, withSecondFactor } = parseStored(stored);
      this.last = { text, roles: new Roles(this.options, permissions, withSecondFactor) };
    }
    return this.last.roles;
  }
}

/** @param stored fields and values of the hash */
function parseStored(stored: readonly string[]): {
  readonly permissions: Map<string, readonly Permission[]>;
  readonly withSecondFactor: Set<string>;
} {
  const roles = new Map<string, readonly Permission[]>();
  const withSecondFactor = new Set<string>();
  for (let index = 0; index + 1 < stored.length; index += 2) {
    const field = stored[index]!;
    if (field.startsWith(ROLE_FIELD)) {
      const name = field.slice(ROLE_FIELD.length);
      const { permissions, requireSecondFactor } = JSON.parse(stored[index + 1]!) as StoredRole;
      roles.set(name, permissions);
      if (requireSecondFactor) {
        withSecondFactor.add(name);
      }
    }
  }
  return { permissions: roles, withSecondFactor };
}
