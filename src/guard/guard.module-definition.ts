import type { CanActivate } from '@nestjs/common';

import { configurableModule } from '../common/configurable-module/index.js';
import type { GuardOptions } from './guard.options.js';

export const JWT_AUTH_GUARD = Symbol('JWT_AUTH_GUARD');

interface GuardReplacements {
  /** Replaces JwtAuthGuard by a subclass, which overrides `getRequest`. */
  readonly guard: CanActivate;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: GUARD_OPTIONS } = configurableModule<
  GuardOptions,
  GuardReplacements
>('Guard', { guard: JWT_AUTH_GUARD });
