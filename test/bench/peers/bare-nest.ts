import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

import { runPeer, user, type UserBody } from './peer.js';

/** The baseline as an empty NestJS application: measures the cost of the framework. */
const answer = user();

@Controller('api/user')
class UserController {
  @Get()
  read(): UserBody {
    return answer;
  }
}

@Module({ controllers: [UserController] })
class BareModule {}

await runPeer({
  listen: async () => {
    const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  },
});
