import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

import { Public } from '../common/authentication/index.js';
import { MayShowDetails } from '../common/http/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { Problem } from '../common/problem/index.js';
import { Readiness } from './readiness.js';

class HealthResponse {
  @ApiProperty({
    enum: ['ok', 'degraded'],
    description:
      'Degraded: a part of the system is down for all instances. Continue to send requests.',
  })
  status!: 'ok' | 'degraded';

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: {
      redis: {
        isHealthy: true,
        masters: 3,
        unreachedMasters: 0,
        replicas: 3,
        singleCopyShards: [],
        uncoveredSlots: 0,
      },
      evictionPolicy: 'noeviction',
      hasSigningKeys: true,
      trustsMemory: true,
      isStopping: false,
    },
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
    operationId: 'getLiveness',
    summary: 'Check that the process is alive',
    description: 'Checks only that the process responds. Restart the instance when this fails.',
  })
  @ApiOkResponse({ type: HealthResponse, description: 'The process is alive.' })
  live(): HealthResponse {
    return { status: 'ok', checks: {} };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Check that the instance can serve requests',
    description:
      'The instance is ready when it reaches every master that is up, has the signing keys, receives invalidations from the ' +
      'other instances, and is not stopping. A failure that affects every instance, such as a shard that is down, makes the ' +
      'instance degraded, but not unready. In production, the checks are shown on the management port only.',
  })
  @ApiOkResponse({ type: HealthResponse, description: 'The instance can serve requests.' })
  @ApiProblems('not-ready')
  async ready(@MayShowDetails() mayShowDetails: boolean): Promise<HealthResponse> {
    const { status, checks } = await this.readiness.check();
    const shown = mayShowDetails ? checks : {};
    if (status === 'not-ready') {
      throw new Problem('not-ready', { extensions: { checks: shown } });
    }
    return { status, checks: shown };
  }
}
