import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';

import { Public } from '../common/authentication/index.js';
import { ApiProblems } from '../common/api-problems/index.js';
import { MetricsRegistry } from './registry/index.js';

@Public()
@ApiTags('Health')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly registry: MetricsRegistry) {}

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Read the metrics',
    description: 'For Prometheus. Make it reachable from the private network only.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ type: String, description: 'Metrics in the text format of Prometheus.' })
  @ApiProblems()
  async metrics(): Promise<string> {
    return this.registry.scrape();
  }
}
