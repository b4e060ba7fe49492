import {
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type PipeTransform,
  type ValidationPipeOptions,
} from '@nestjs/common';
import { ConfigModule, getConfigToken, registerAs } from '@nestjs/config';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { AccountPagesModule } from './account-pages/index.js';
import { ApiDocsModule, type ApiDocsOptions } from './api-docs/index.js';
import { AuditModule, type AuditSink, type AuditTrail } from './audit/index.js';
import { AuthModule, type SecondFactor } from './auth/index.js';
import { ClusterStatusModule } from './cluster-status/index.js';
import type { Replacement } from './common/configurable-module/index.js';
import { redisIdentityFrom, type Settings } from './config/index.js';
import { ConsoleModule } from './console/index.js';
import { ForwardAuthModule } from './forward-auth/index.js';
import { GuardModule, type GuardOptions } from './guard/index.js';
import { HealthModule } from './health/index.js';
import { KeysModule } from './keys/index.js';
import { MailModule, type Mailer, type MailTemplates } from './mail/index.js';
import { MetricsModule } from './metrics/index.js';
import { NearCacheModule } from './near-cache/index.js';
import { OAuthModule } from './oauth/index.js';
import { RateLimitModule } from './rate-limit/index.js';
import {
  RedisClusterModule,
  type RedisClusterOptions,
  type RedisNodeAddress,
} from './redis-cluster/index.js';
import { RolesModule } from './roles/index.js';
import { ServiceAccountsModule } from './service-accounts/index.js';
import { SessionsModule } from './sessions/index.js';
import { TracingModule } from './tracing/index.js';
import {
  UsersModule,
  type PasswordHasher,
  type UserDirectory,
  type UserStore,
} from './users/index.js';

const SETTINGS = 'keyslot';

/** Settings with the nodes of the cluster, which may be the embedded cluster. */
export type AppSettings = Settings & {
  readonly redis: { readonly nodes: readonly RedisNodeAddress[] };
  /** Number of this worker, from 1. Absent: the only process of the instance. */
  readonly worker?: number;
  /**
   * Whether to do what is due for the whole cluster: send mails, rotate signing keys, correct the directory. Default true. A command of
   * an operator does not, because it ends soon, and its shell may lack settings of the instances.
   */
  readonly doesDueWork?: boolean;
};

/**
 * Validation of bodies, queries and parameters of an application's own routes: options of Nest's `ValidationPipe` that override
 * Keyslot's, or another pipe. Keyslot's routes are not affected.
 */
export type ValidationExtension =
  | PipeTransform
  | (ValidationPipeOptions & {
      /** Whether unknown query parameters are dropped instead of refused. Default false. */
      readonly allowUnknownQuery?: boolean;
    });

/** What an application adds to Keyslot or replaces. Default: nothing. */
export interface AppExtensions {
  /** Additional modules. Their routes are guarded and documented like all others. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Roles besides `admin` and those that are stored in the cluster, see `GuardOptions`. */
  readonly roles?: NonNullable<GuardOptions['roles']>;
  readonly passwordHasher?: Replacement<PasswordHasher>;
  /** Kinds of second factors besides Keyslot's. */
  readonly secondFactors?: Replacement<readonly SecondFactor[]>;
  readonly userStore?: Replacement<UserStore>;
  /** Lists the users of another store. */
  readonly userDirectory?: Replacement<UserDirectory>;
  readonly auditSink?: Replacement<AuditSink>;
  /** Sends mails instead of the SMTP server of `MAIL_URL`. */
  readonly mailer?: Replacement<Mailer>;
  readonly mailTemplates?: Replacement<MailTemplates>;
  /** Lists what the audit sink has stored. Keyslot then keeps no trail in Redis. */
  readonly auditTrail?: Replacement<AuditTrail>;
  /** Provides the Redis user and certificates for new connections instead of the settings, see `RedisClusterOptions`. */
  readonly redisIdentity?: NonNullable<RedisClusterOptions['identity']>;
  readonly validation?: ValidationExtension;
  /**
   * Runs before the application listens and after Keyslot is set up. Use it for Fastify plugins, WebSocket adapters, a global
   * prefix, versioning and interceptors.
   */
  readonly configure?: (app: NestFastifyApplication) => unknown;
  /** Metadata of the API description. */
  readonly apiDocs?: ApiDocsOptions;
}

/** Keyslot's modules with controllers. */
export const OWN_MODULES: readonly unknown[] = [
  AccountPagesModule,
  ApiDocsModule,
  AuditModule,
  AuthModule,
  ClusterStatusModule,
  ConsoleModule,
  ForwardAuthModule,
  HealthModule,
  KeysModule,
  MetricsModule,
  OAuthModule,
  RolesModule,
  ServiceAccountsModule,
  SessionsModule,
  UsersModule,
];

/** The composition root: only this class knows all modules and converts settings into their options. */
@Module({})
export class AppModule {
  static forRoot(settings: AppSettings, extensions: AppExtensions = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          load: [registerAs(SETTINGS, () => settings)],
        }),
        MetricsModule,
        TracingModule.forRootAsync(fromSettings(({ tracing }) => tracing)),
        RedisClusterModule.forRootAsync(
          fromSettings(({ redis }) => {
            const identity = extensions.redisIdentity ?? redisIdentityFrom(redis);
            return { ...redis, ...(identity ? { identity } : {}) };
          }),
        ),
        // After Redis: it flushes the trail at the end, and Nest ends modules in reverse order.
        AuditModule.forRootAsync({
          ...fromSettings(({ jwt, audit }) => ({
            pseudonymSecret: jwt.keyEncryptionSecret,
            ...audit,
          })),
          sink: extensions.auditSink,
          trail: extensions.auditTrail,
        }),
        NearCacheModule.forRootAsync(fromSettings(({ nearCache }) => nearCache)),
        KeysModule.forRootAsync(
          fromSettings(({ jwt, http, sessions, doesDueWork = true }) => ({
            ...(jwt.issuer === undefined ? {} : { issuer: jwt.issuer }),
            sessionIdleTtlSeconds: sessions.idleTtlSeconds,
            baseUrl: baseUrl(http),
            encryptionSecret: jwt.keyEncryptionSecret,
            lifetimeSeconds: jwt.signingKeyLifetimeSeconds,
            doesDueWork,
          })),
        ),
        GuardModule.forRootAsync(
          fromSettings(({ jwt }) => ({
            audience: jwt.audience,
            ...(extensions.roles ? { roles: extensions.roles } : {}),
          })),
        ),
        RolesModule,
        ServiceAccountsModule.forRootAsync(fromSettings(({ jwt }) => ({ audience: jwt.audience }))),
        RateLimitModule.forRootAsync(
          fromSettings(({ isRateLimited }) => ({ isOn: isRateLimited })),
        ),
        MailModule.forRootAsync({
          ...fromSettings(({ mail, http, isProduction, doesDueWork = true }) => ({
            ...(mail ? { smtp: mail } : {}),
            isLogged: !isProduction,
            publicUrl: http.publicUrl ?? baseUrl(http),
            doesDueWork,
          })),
          mailer: extensions.mailer,
          templates: extensions.mailTemplates,
        }),
        UsersModule.forRootAsync({
          ...fromSettings(
            ({ passwords, isRegistrationOpen, administrator, doesDueWork = true }) => ({
              passwordMinLength: passwords.minLength,
              ...(passwords.concurrentHashes
                ? { hashing: { concurrency: passwords.concurrentHashes } }
                : {}),
              isRegistrationOpen,
              doesDueWork,
              ...(administrator ? { administrator } : {}),
            }),
          ),
          passwordHasher: extensions.passwordHasher,
          userStore: extensions.userStore,
          userDirectory: extensions.userDirectory,
        }),
        SessionsModule.forRootAsync(
          fromSettings(({ sessions, isRateLimited }) => ({
            ...sessions,
            isRefreshLimited: isRateLimited,
          })),
        ),
        AuthModule.forRootAsync({
          ...fromSettings(({ jwt, http }) => ({
            tokenSecret: jwt.keyEncryptionSecret,
            audience: jwt.audiences,
            accessTtlSeconds: jwt.accessTtlSeconds,
            isHttps: isServedByHttps(http),
            // Browsers accept no address as the domain of a passkey, and http only for localhost.
            publicUrl: http.publicUrl ?? baseUrl({ ...http, host: 'localhost' }),
          })),
          secondFactors: extensions.secondFactors,
        }),
        OAuthModule.forRootAsync(
          fromSettings(({ http: { publicUrl } }) => (publicUrl === undefined ? {} : { publicUrl })),
        ),
        ForwardAuthModule,
        HealthModule,
        ClusterStatusModule,
        AccountPagesModule.forRootAsync(
          fromSettings(({ passwords }) => ({ passwordMinLength: passwords.minLength })),
        ),
        ConsoleModule,
        ApiDocsModule,
        ...(extensions.imports ?? []),
      ],
    };
  }
}

function fromSettings<Options>(choose: (settings: AppSettings) => Options) {
  return { inject: [getConfigToken(SETTINGS)], useFactory: choose };
}

export function baseUrl(http: Settings['http']): string {
  const host = http.host.includes(':') ? `[${http.host}]` : http.host;
  return `${http.tls ? 'https' : 'http'}://${host}:${http.port}`;
}

/** Whether clients use HTTPS, to the instance itself or to a proxy in front of it. */
export function isServedByHttps({ tls, trustedProxies }: Settings['http']): boolean {
  return tls !== undefined || trustedProxies.length > 0;
}
