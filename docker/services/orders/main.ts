import { readFileSync } from 'node:fs';

import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CurrentUser, KeyslotGuardModule, Public, type UserPrincipal } from 'keyslot/guard';

const read = (path: string): string => readFileSync(path, 'utf8').trim();

@Controller()
class OrdersController {
  @Get('orders')
  list(@CurrentUser() { user }: UserPrincipal) {
    return { orders: [], customer: user.username };
  }

  @Public()
  @Get('health')
  health() {
    return { status: 'ok' };
  }
}

@Module({
  imports: [
    KeyslotGuardModule.forRoot({
      redis: {
        nodes: process.env['REDIS_NODES']!.split(','),
        username: process.env['REDIS_USERNAME']!,
        password: read(process.env['REDIS_PASSWORD_FILE']!),
        tls: { ca: read(process.env['REDIS_TLS_CA']!) },
      },
      audience: 'orders',
    }),
  ],
  controllers: [OrdersController],
})
class AppModule {}

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 8080, process.env['HOST'] ?? '127.0.0.1');
