import { Global, Module } from '@nestjs/common';

import { MetricsRegistry } from './metrics-registry.js';

/** The metrics of Keyslot's modules, without a route and without those of the process. */
@Global()
@Module({ providers: [MetricsRegistry], exports: [MetricsRegistry] })
export class MetricsRegistryModule {}
