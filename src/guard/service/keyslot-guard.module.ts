import {
  Module,
  type CanActivate,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';

import type { Replacement } from '../../common/configurable-module/index.js';
import { KeyRingModule } from '../../keys/read/index.js';
import { MetricsRegistryModule } from '../../metrics/registry/index.js';
import { NearCacheModule } from '../../near-cache/index.js';
import { RedisClusterModule } from '../../redis-cluster/index.js';
import { GuardProblemFilter } from '../guard-problem.filter.js';
import { GuardModule } from '../guard.module.js';
import { SessionReaderModule } from '../session-reader.module.js';
import { partOptions, type KeyslotOptions, type PartOptions } from './service.options.js';

export interface KeyslotModuleExtras {
  /** Replaces JwtAuthGuard by a subclass, which overrides `getRequest`. */
  readonly guard?: Replacement<CanActivate>;
}

export interface KeyslotAsyncOptions extends KeyslotModuleExtras {
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  readonly inject?: NonNullable<FactoryProvider['inject']>;
  readonly useFactory: (...injected: never[]) => KeyslotOptions | Promise<KeyslotOptions>;
}

const PART_OPTIONS = Symbol('PART_OPTIONS');

class PartOptionsModule {}

/**
 * Guards all routes of a service by the sessions of a Keyslot cluster. They deny by default: see `@Public()`. It adds no route,
 * no login and no password hashing, and needs no secret of Keyslot. Refused requests get a problem document (RFC 9457).
 */
@Module({})
export class KeyslotGuardModule {
  /** @throws TypeError for invalid options */
  static forRoot({ guard, ...options }: KeyslotOptions & KeyslotModuleExtras): DynamicModule {
    partOptions(options);
    return this.forRootAsync({ useFactory: () => options, ...(guard && { guard }) });
  }

  static forRootAsync({
    imports = [],
    inject = [],
    useFactory,
    guard,
  }: KeyslotAsyncOptions): DynamicModule {
    const options: DynamicModule = {
      module: PartOptionsModule,
      imports,
      providers: [
        {
          provide: PART_OPTIONS,
          inject,
          useFactory: async (...injected: never[]) => partOptions(await useFactory(...injected)),
        },
      ],
      exports: [PART_OPTIONS],
    };
    const from = <Options>(choose: (parts: PartOptions) => Options) => ({
      imports: [options],
      inject: [PART_OPTIONS],
      useFactory: choose,
    });
    return {
      module: KeyslotGuardModule,
      imports: [
        MetricsRegistryModule,
        RedisClusterModule.forRootAsync(from(({ redis }) => redis)),
        NearCacheModule.forRootAsync(from(({ nearCache }) => nearCache)),
        KeyRingModule.forRootAsync(from(({ keyRing }) => keyRing)),
        SessionReaderModule,
        GuardModule.forRootAsync({ ...from((parts) => parts.guard), guard }),
      ],
      providers: [GuardProblemFilter, { provide: APP_FILTER, useExisting: GuardProblemFilter }],
    };
  }
}
