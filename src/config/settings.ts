import type { Secret } from '../common/secret/index.js';

/** Every setting of the application, checked and typed. The names of the environment are in the README. */
export interface Settings {
  /** For the operator: what is allowed, and seldom meant. */
  readonly warnings: readonly string[];
  readonly isProduction: boolean;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Addresses or CIDRs whose X-Forwarded-* headers are believed. */
    readonly trustedProxies: readonly string[];
    /** Origins of pages that browsers let read the answers. Empty: none but our own. */
    readonly corsOrigins: readonly string[];
    /** Headers that these pages may send, besides those that the API itself reads. */
    readonly corsHeaders: readonly string[];
    /** Where clients reach the API, without a slash at the end: `https://example.com/keyslot`. Absent: nobody said. */
    readonly publicUrl?: string;
    /** The path of it: `/keyslot`, or nothing. */
    readonly publicPath: string;
    /** PEM texts, and the files that they were read from; absent: plain HTTP. */
    readonly tls?: {
      readonly cert: string;
      readonly key: Secret;
      readonly files: { readonly cert: string; readonly key: string };
    };
  };
  /** Swagger UI and the OpenAPI document. */
  readonly hasApiDocs: boolean;
  /** For what watches an instance: plain HTTP with the metrics and all of its health. Absent: no listener of its own. */
  readonly management?: { readonly host: string; readonly port: number };
  readonly redis: {
    /** Absent: the embedded cluster. */
    readonly nodes?: readonly { readonly host: string; readonly port: number }[];
    readonly username?: string;
    readonly password?: Secret;
    /** PEM texts. */
    readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: Secret };
    /** What the password and the PEM texts were read from, to be read again. Absent: none came from a file. */
    readonly files?: {
      readonly password?: string;
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
    };
    /** By the `host:port` that a node announces: where it is reached. */
    readonly natMap?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
    readonly keyPrefix: string;
    /** As many as each master has replicas. */
    readonly confirmingReplicas: number;
  };
  readonly jwt: {
    /** Absent: the base URL of the instance that made the cluster's first signing key. */
    readonly issuer?: string;
    readonly audience: string;
    readonly accessTtlSeconds: number;
    /** Encrypts the signing keys at rest in Redis. The same for every instance of a cluster. */
    readonly keyEncryptionSecret: Secret;
    /** None was set: the one of the data folder is used, which other machines do not have. */
    readonly isSecretGenerated: boolean;
  };
  readonly sessions: {
    /** How long a session may stay unused. */
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
  /** Made at start if no user has this name. */
  readonly administrator?: { readonly username: string; readonly password: Secret };
  readonly passwords: {
    readonly minLength: number;
  };
  readonly isRegistrationOpen: boolean;
  readonly isRateLimited: boolean;
  readonly logLevel: string;
  readonly tracing: {
    /** OpenTelemetry's own variables, some of which hold keys; absent while they name no collector. */
    readonly variables?: Readonly<Record<string, Secret>>;
  };
  /** Advice on the settings for the person at the terminal. Nothing is wrong for certain. */
  readonly hints: readonly string[];
  /** Where the embedded cluster and generated secrets are kept. */
  readonly dataDirectory: string;
}

/** What the operator's commands about Redis need. */
export interface OperatorSettings {
  readonly redis: Settings['redis'];
  /** The operator's own user. */
  readonly administrator: { readonly username?: string; readonly password?: Secret };
  /** As which replicas follow their masters. */
  readonly replicaPassword?: Secret;
}

/** Who the application is to Redis, and which keys are its own. */
export type RedisUserSettings = Pick<Settings['redis'], 'username' | 'password' | 'keyPrefix'>;
