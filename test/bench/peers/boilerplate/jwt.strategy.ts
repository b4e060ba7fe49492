import { Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

import { PEER_SECRET } from '../peer.js';
import { RedisRepository } from './redis-repository.js';
import type { UserEntity } from './user.entity.js';

export interface JwtPayload {
  readonly sub: string;
  readonly sessionId: string;
}

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly repository: RedisRepository) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      ignoreExpiration: false,
      secretOrKey: PEER_SECRET,
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
