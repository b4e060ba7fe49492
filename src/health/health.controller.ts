import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

import { Public } from '../common/authentication/index.js';
import { ApiProblems, Problem } from '../common/problem/index.js';
import { Readiness } from './readiness.js';

class HealthResponse {
  @ApiProperty({ enum: ['ok'] })
  status!: 'ok';

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { redis: { isHealthy: true, masters: 3, replicas: 3, uncoveredSlots: 0 } },
  })
  checks!: Record<string, unknown>;
}

@ApiTags('Health')
@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Is the process alive?',
    description: 'Asks nothing else. When this fails, restart the instance.',
  })
  @ApiOkResponse({ type: HealthResponse, description: 'It is.' })
  live(): HealthResponse {
    return { status: 'ok', checks: {} };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Can it serve requests?',
    description:
      'Looks at the Redis Cluster, the signing keys, whether the instance may answer from memory, and whether it is ' +
      'stopping.',
  })
  @ApiOkResponse({ type: HealthResponse, description: 'It can.' })
  @ApiProblems('not-ready')
  async ready(): Promise<HealthResponse> {
    const { isReady, checks } = await this.readiness.check();
    if (!isReady) {
      throw new Problem('not-ready', { extensions: { checks } });
    }
    return { status: 'ok', checks };
  }
}
