import { Controller, Get, Sse, type MessageEvent } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { takeUntil, type Observable } from 'rxjs';

import { ApiProblems } from '../common/api-problems/index.js';
import {
  CurrentPrincipal,
  PERMISSION_PROBLEMS,
  RequirePermissions,
  type Principal,
} from '../common/authentication/index.js';
import { CallerStreams } from './caller-streams.js';
import { CallerWatch } from './caller-watch.js';
import { ClusterEvents } from './cluster-events.js';
import { ClusterStatus } from './cluster-status.js';
import { ClusterResponse } from './dto/cluster.response.dto.js';

const PERMISSION = 'cluster:read';

@ApiTags('Cluster')
@Controller('api/cluster')
export class ClusterController {
  constructor(
    private readonly status: ClusterStatus,
    private readonly stream: ClusterEvents,
    private readonly callers: CallerWatch,
    private readonly streams: CallerStreams,
  ) {}

  @Get()
  @RequirePermissions(PERMISSION)
  @ApiOperation({
    operationId: 'getCluster',
    summary: 'Read the state of the cluster',
    description:
      'The nodes and slots of the Redis Cluster, the instances and the services with the guard, and how long changes took. Answers ' +
      'also while Redis does not, as long as this instance can authorize the request.',
  })
  @ApiOkResponse({ type: ClusterResponse, description: 'The state, as this instance sees it.' })
  @ApiProblems(...PERMISSION_PROBLEMS)
  async getCluster(): Promise<ClusterResponse> {
    return this.status.read();
  }

  @Sse('events')
  @RequirePermissions(PERMISSION)
  @ApiOperation({
    operationId: 'watchCluster',
    summary: 'Follow the state of the cluster',
    description:
      'Server-sent events. `status`: the state as from `GET /api/cluster`, at once and every five seconds. `change`: a change ' +
      '(a revocation, for example) is `announced` to the instances that hold its subject, or `settled`: none answers from the old ' +
      'state any more. `connection`: whether changes arrive. Events may be lost. Within ten seconds after the first stream, all ' +
      'instances publish their changes. The stream ends with the session of the caller, and when the ' +
      'caller loses the permission. A session or a service account can have ten streams open at each instance.',
  })
  @ApiOkResponse({
    description: 'The stream.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiProblems(...PERMISSION_PROBLEMS, 'too-many-streams')
  watchCluster(@CurrentPrincipal() caller: Principal): Observable<MessageEvent> {
    const events = this.stream.stream().pipe(takeUntil(this.callers.lossOf(caller, PERMISSION)));
    return this.streams.limit(caller, events);
  }
}
