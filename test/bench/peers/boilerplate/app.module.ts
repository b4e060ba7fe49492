import {
  ClassSerializerInterceptor,
  Controller,
  type DynamicModule,
  Get,
  Module,
  Req,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { AuthGuard, PassportModule } from '@nestjs/passport';

import { PEER_SECRET, SESSION_SECONDS } from '../peer.js';
import { JwtStrategy, VERIFICATION_KEY, type VerificationKey } from './jwt.strategy.js';
import { RedisRepository } from './redis-repository.js';
import type { UserEntity } from './user.entity.js';

@Controller('api/user')
@UseInterceptors(ClassSerializerInterceptor)
class UserController {
  @Get()
  @UseGuards(AuthGuard('jwt'))
  read(@Req() request: { readonly user: UserEntity }): UserEntity {
    return request.user;
  }
}

@Module({
  imports: [
    PassportModule,
    JwtModule.register({ secret: PEER_SECRET, signOptions: { expiresIn: SESSION_SECONDS } }),
  ],
  controllers: [UserController],
  providers: [RedisRepository, JwtStrategy],
})
export class AppModule {
  static verifyingWith(key: VerificationKey): DynamicModule {
    return { module: AppModule, providers: [{ provide: VERIFICATION_KEY, useValue: key }] };
  }
}
