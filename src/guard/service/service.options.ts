import type { RolesOptions } from '../../common/authentication/index.js';
import { parseNode } from '../../common/network/index.js';
import { Secret } from '../../common/secret/index.js';
import type { NearCacheOptions } from '../../near-cache/index.js';
import type {
  RedisClusterOptions,
  RedisIdentity,
  RedisNodeAddress,
} from '../../redis-cluster/index.js';
import type { GuardOptions } from '../guard.options.js';

/** Options of a service that checks the tokens of a Keyslot cluster and issues none. */
export interface KeyslotOptions extends RolesOptions {
  /** The Redis Cluster of Keyslot, and the user that `keyslot redis-acl --guard` prints. */
  readonly redis: ServiceRedisOptions;
  /** The service itself. Only tokens whose `aud` contains it are accepted. Keyslot issues it: `JWT_AUDIENCE`. */
  readonly audience: string;
  /** The required `iss`. Default: the issuer that Keyslot has stored with its keys. */
  readonly issuer?: string;
  readonly nearCache?: NearCacheOptions;
}

export interface ServiceRedisOptions extends Omit<
  RedisClusterOptions,
  'nodes' | 'password' | 'tls' | 'identity'
> {
  /** Any nodes of the cluster: `host:port`, `[address]:port`, or objects. At least one. */
  readonly nodes: readonly (string | RedisNodeAddress)[];
  readonly password?: string | Secret;
  /** TLS to every node: `true`, or PEM texts. Default: plain text. */
  readonly tls?: boolean | ServiceTls;
  /** Provides the user and the certificates for new connections, see `RedisClusterOptions`. */
  readonly identity?: () => ServiceIdentity | Promise<ServiceIdentity>;
}

export interface ServiceTls {
  /** Authorities to trust. Default: those of the system. */
  readonly ca?: string;
  /** The client's certificate. Needs `key`. */
  readonly cert?: string;
  readonly key?: string | Secret;
}

export interface ServiceIdentity {
  readonly username?: string;
  readonly password?: string | Secret;
  readonly tls?: boolean | ServiceTls;
}

/** The options of each part of the guard. */
export interface PartOptions {
  readonly redis: RedisClusterOptions;
  readonly nearCache: NearCacheOptions;
  readonly keyRing: { readonly issuer?: string };
  readonly guard: GuardOptions & { readonly audience: string };
}

/** @throws TypeError that names all invalid options */
export function partOptions(options: KeyslotOptions): PartOptions {
  const faults = faultsOf(options);
  if (faults.length > 0) {
    throw new TypeError(`The options of Keyslot's guard are not valid. ${faults.join(' ')}`);
  }
  const { redis, audience, issuer, nearCache = {}, roles } = options;
  const { nodes, username, password, tls, identity, ...rest } = redis;
  return {
    redis: {
      ...rest,
      ...identityOf({
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(tls === undefined ? {} : { tls }),
      }),
      nodes: nodes.map((node) => addressOf(node)!),
      ...(identity ? { identity: async () => identityOf(await identity()) } : {}),
    },
    nearCache: { ...nearCache, service: audience },
    keyRing: issuer === undefined ? {} : { issuer },
    guard: { audience, ...(roles ? { roles } : {}) },
  };
}

function faultsOf({ redis, audience, issuer }: KeyslotOptions): string[] {
  const nodes = (redis as Partial<ServiceRedisOptions> | undefined)?.nodes;
  const areNodes = Array.isArray(nodes) && nodes.length > 0 && nodes.every(addressOf);
  return [
    areNodes ? '' : 'redis.nodes: a list of nodes of the Redis Cluster, such as "10.0.0.1:6379".',
    isText(audience) ? '' : 'audience: the name of this service in the tokens.',
    issuer === undefined || isText(issuer) ? '' : 'issuer: a text.',
  ].filter(Boolean);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function addressOf(node: string | RedisNodeAddress): RedisNodeAddress | undefined {
  if (typeof node === 'string') {
    return parseNode(node);
  }
  const { host, port } = node;
  return isText(host) && Number.isInteger(port) && port > 0 && port < 65_536 ? node : undefined;
}

function identityOf({
  username,
  password,
  tls,
}: ServiceIdentity): Pick<RedisClusterOptions, 'username' | 'password' | 'tls'> & RedisIdentity {
  const { ca, cert, key } = typeof tls === 'object' ? tls : {};
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: secretOf(password) }),
    ...(tls === undefined || tls === false
      ? {}
      : { tls: { ca, cert, key: key === undefined ? undefined : secretOf(key) } }),
  };
}

function secretOf(value: string | Secret): Secret {
  return typeof value === 'string' ? new Secret(value) : value;
}
