import { Module } from '@nestjs/common';

import { ForwardAuthController } from './forward-auth.controller.js';

/** Answers proxies whether a request may pass. Requires GuardModule in the same application. */
@Module({ controllers: [ForwardAuthController] })
export class ForwardAuthModule {}
