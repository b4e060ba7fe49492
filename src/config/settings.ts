import type { Secret } from '../common/secret/index.js';

/**
 * All settings of the application, validated and typed. A new setting begins in `setting-definitions.ts`, with its name, rule
 * and default.
 */
export interface Settings {
  /** Messages for the operator about settings that are allowed, but rarely intended. */
  readonly warnings: readonly string[];
  readonly isProduction: boolean;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Addresses or CIDRs whose X-Forwarded-* headers are trusted. */
    readonly trustedProxies: readonly string[];
    /** Origins of pages that may read responses. Empty: only pages of the same origin. */
    readonly corsOrigins: readonly string[];
    /** Headers that these pages may send, in addition to those that the API reads. */
    readonly corsHeaders: readonly string[];
    /** URL at which clients reach the API, without a trailing slash: `https://example.com/keyslot`. Absent: not configured. */
    readonly publicUrl?: string;
    /** Path of the public URL: `/keyslot`, or empty. */
    readonly publicPath: string;
    /** PEM texts and their files. Absent: plain HTTP. */
    readonly tls?: {
      readonly cert: string;
      readonly key: Secret;
      readonly files: { readonly cert: string; readonly key: string };
    };
  };
  /** Number of processes of this instance that serve requests on its ports. */
  readonly workers: number;
  /** The SMTP server, and the header `From`. Absent: mails are written to the log, and in production there are none. */
  readonly mail?: { readonly url: Secret; readonly from: string };
  /** Swagger UI and the OpenAPI document. */
  readonly hasApiDocs: boolean;
  /** Address of the management port: plain HTTP with metrics and health details. Absent: no management port. */
  readonly management?: { readonly host: string; readonly port: number };
  readonly redis: {
    /** Absent: the embedded cluster. */
    readonly nodes?: readonly { readonly host: string; readonly port: number }[];
    readonly username?: string;
    readonly password?: Secret;
    /** PEM texts. */
    readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: Secret };
    /** Files of the password and the PEM texts, for reloading. Absent: none of them came from a file. */
    readonly files?: {
      readonly password?: string;
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
    };
    /** Reachable addresses of nodes, by the `host:port` that they announce. */
    readonly natMap?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
    readonly keyPrefix: string;
    /** Whether at least one replica must confirm each write. A shard without a live replica then accepts no writes. */
    readonly requireReplica: boolean;
  };
  readonly jwt: {
    /** Absent: the base URL of the instance that created the first signing key of the cluster. */
    readonly issuer?: string;
    /** Keyslot itself: it accepts only tokens whose `aud` contains it. The first of `audiences`. */
    readonly audience: string;
    /** `aud` of the tokens of a login: Keyslot and the services that accept these tokens. */
    readonly audiences: readonly string[];
    readonly accessTtlSeconds: number;
    /** Encrypts the signing keys in Redis. Must be the same for all instances of a cluster. */
    readonly keyEncryptionSecret: Secret;
    /** Whether the secret was generated in the data folder. Other machines do not have it. */
    readonly isSecretGenerated: boolean;
    /** The age at which a new signing key replaces the current one. */
    readonly signingKeyLifetimeSeconds: number;
  };
  readonly sessions: {
    /** A session expires when it is not used for this time. */
    readonly idleTtlSeconds: number;
    readonly maxAgeSeconds: number;
    readonly maxPerUser: number;
    readonly refreshGraceSeconds: number;
  };
  readonly nearCache: {
    readonly leaseMs: number;
    readonly maxEntries: number;
    readonly maxBytes: number;
  };
  readonly audit: {
    /** 0: no trail is kept. */
    readonly retentionSeconds: number;
    readonly maxEventsPerType: number;
  };
  /** Created at start, unless a user has this name. */
  readonly administrator?: { readonly username: string; readonly password: Secret };
  readonly passwords: {
    readonly minLength: number;
    /** Number of passwords that one process hashes at the same time. Absent: the default of a process with all cores. */
    readonly concurrentHashes?: number;
  };
  readonly isRegistrationOpen: boolean;
  readonly isRateLimited: boolean;
  readonly logLevel: string;
  readonly tracing: {
    /** The `OTEL_…` variables, some of which contain credentials. Absent: no collector is configured. */
    readonly variables?: Readonly<Record<string, Secret>>;
  };
  /** Messages about possible mistakes in the settings. */
  readonly hints: readonly string[];
  /** Folder of the embedded cluster and of generated secrets. */
  readonly dataDirectory: string;
}

/** Settings of the operator's Redis commands. */
export interface OperatorSettings {
  readonly redis: Settings['redis'];
  /** Redis user of the operator. */
  readonly administrator: { readonly username?: string; readonly password?: Secret };
  /** Password of the Redis user for replication. */
  readonly replicaPassword?: Secret;
  /** Redis user of the cluster from which users are imported. */
  readonly source: { readonly username?: string; readonly password?: Secret };
}

/** Settings of the operator's commands for signing keys. */
export interface KeySettings {
  readonly redis: Settings['redis'];
  readonly nearCache: Settings['nearCache'];
  readonly logLevel: string;
  readonly dataDirectory: string;
  readonly signingKeyLifetimeSeconds: number;
  readonly audit: Settings['audit'];
  /** Absent: not set, and none was generated in the data folder. */
  readonly keyEncryptionSecret?: Secret;
}

/** Redis user and key prefix of the application. */
export type RedisUserSettings = Pick<Settings['redis'], 'username' | 'password' | 'keyPrefix'>;
