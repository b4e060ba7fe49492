import { readFileSync } from 'node:fs';

import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CurrentPrincipal, KeyslotGuardModule, Public, type Principal } from 'keyslot/guard';

const read = (path: string): string => readFileSync(path, 'utf8').trim();

@Controller()
class OrdersController {
  @Get('orders')
  list(@CurrentPrincipal() caller: Principal) {
    return {
      orders: [],
      customer: caller.kind === 'user' ? caller.user.username : caller.clientId,
    };
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
