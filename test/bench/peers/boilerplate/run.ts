import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { randomUUID } from 'node:crypto';

import { inBatches } from '../../batches.js';
import { runPeer, user } from '../peer.js';
import { AppModule } from './app.module.js';
import type { JwtPayload, VerificationKey } from './jwt.strategy.js';
import { RedisRepository } from './redis-repository.js';

const LOG_LEVELS = ['error' as const, 'warn' as const];

/** NestJS as in most projects: Express, passport-jwt, and a Redis look-up for every request. */
export async function runBoilerplate(key: VerificationKey): Promise<void> {
  await runPeer({
    listen: async () => {
      const app = await NestFactory.create<NestExpressApplication>(AppModule.verifyingWith(key), {
        logger: LOG_LEVELS,
      });
      app.use(helmet());
      app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true }));
      await app.listen(0, '127.0.0.1');
      return app.getUrl();
    },
    seed: async (count) => {
      const app = await NestFactory.createApplicationContext(AppModule.verifyingWith(key), {
        logger: LOG_LEVELS,
      });
      const repository = app.get(RedisRepository);
      const { id: userId, ...rest } = user();
      await repository.saveUser({ id: userId, ...rest, passwordHash: 'not used here' });
      return inBatches(count, async () => {
        const session = { id: randomUUID(), userId };
        await repository.saveSession(session);
        const payload: JwtPayload = { sub: userId, sessionId: session.id };
        return `Authorization: Bearer ${await app.get(JwtService).signAsync(payload)}`;
      });
    },
  });
}
