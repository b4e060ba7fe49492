import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

import { Public } from '../common/authentication/index.js';
import { MayShowDetails } from '../common/http/index.js';
import { ApiProblems, Problem } from '../common/problem/index.js';
import { Readiness } from './readiness.js';

class HealthResponse {
  @ApiProperty({
    enum: ['ok', 'degraded'],
    description:
      'Degraded: something is missing that no other instance has either. Send requests all the same.',
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
    operationId: 'getReadiness',
    summary: 'Should it be sent requests?',
    description:
      'Whether this instance can do what another one could: it reaches every master that is up, has the signing keys, ' +
      'may answer from memory, and is not stopping. What is missing for every instance alike, such as a shard that is ' +
      'down, makes it degraded, but not unready. In production the checks are told on the management port only.',
  })
  @ApiOkResponse({ type: HealthResponse, description: 'It should.' })
  @ApiProblems('not-ready')
  async ready(@MayShowDetails() mayTell: boolean): Promise<HealthResponse> {
    const { status, checks } = await this.readiness.check();
    const told = mayTell ? checks : {};
    if (status === 'not-ready') {
      throw new Problem('not-ready', { extensions: { checks: told } });
    }
    return { status, checks: told };
  }
}
