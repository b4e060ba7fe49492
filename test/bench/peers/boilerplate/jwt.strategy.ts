import { Inject, Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { KeyObject } from 'node:crypto';
import { ExtractJwt, Strategy } from 'passport-jwt';

import { RedisRepository } from './redis-repository.js';
import type { UserEntity } from './user.entity.js';

export interface JwtPayload {
  readonly sub: string;
  readonly sessionId: string;
}

export type VerificationKey = string | KeyObject;
export const VERIFICATION_KEY = Symbol('VERIFICATION_KEY');

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(
    private readonly repository: RedisRepository,
    @Inject(VERIFICATION_KEY) key: VerificationKey,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      ignoreExpiration: false,
      // jsonwebtoken accepts a KeyObject, but the types of passport-jwt do not list it.
      secretOrKey: key as string,
      algorithms: ['HS256'],
    });
  }

  /** Reads from Redis on every request, so that a session can be ended. */
  async validate({ sub, sessionId }: JwtPayload): Promise<UserEntity> {
    const session = await this.repository.findSession(sessionId);
    const user = session?.userId === sub ? await this.repository.findUser(sub) : undefined;
    if (!user) {
      throw new UnauthorizedException();
    }
    return user;
  }
}
