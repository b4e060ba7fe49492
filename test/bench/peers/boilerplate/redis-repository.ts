import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { Cluster } from 'ioredis';

import { redisNodes, SESSION_SECONDS, variable } from '../peer.js';
import { UserEntity } from './user.entity.js';

export interface SessionEntity {
  readonly id: string;
  readonly userId: string;
}

/** Sessions and users as JSON, one key each, over one client for the whole application. */
@Injectable()
export class RedisRepository implements OnModuleDestroy {
  private readonly redis = new Cluster(redisNodes(), {
    keyPrefix: `${variable('REDIS_KEY_PREFIX')}boilerplate:`,
    redisOptions: { password: variable('REDIS_PASSWORD') },
  });

  async findSession(id: string): Promise<SessionEntity | undefined> {
    const text = await this.redis.get(`session:${id}`);
    return text === null ? undefined : (JSON.parse(text) as SessionEntity);
  }

  async saveSession(session: SessionEntity): Promise<void> {
    await this.redis.set(`session:${session.id}`, JSON.stringify(session), 'EX', SESSION_SECONDS);
  }

  async findUser(id: string): Promise<UserEntity | undefined> {
    const text = await this.redis.get(`user:${id}`);
    return text === null ? undefined : plainToInstance(UserEntity, JSON.parse(text) as object);
  }

  async saveUser(user: UserEntity): Promise<void> {
    await this.redis.set(`user:${user.id}`, JSON.stringify(user));
  }

  onModuleDestroy(): void {
    this.redis.disconnect();
  }
}
