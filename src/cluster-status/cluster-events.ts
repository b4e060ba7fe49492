import { Injectable, type MessageEvent } from '@nestjs/common';
import { exhaustMap, map, merge, Observable, ReplaySubject, share, timer } from 'rxjs';

import { ChangeFeed } from '../near-cache/index.js';
import { ClusterStatus } from './cluster-status.js';
import { describeChange } from './dto/change-event.response.dto.js';

const STATUS_INTERVAL_MS = 5000;

/** What streams of the cluster's state send. All streams of an instance share one reading of the state. */
@Injectable()
export class ClusterEvents {
  private readonly states: Observable<MessageEvent>;
  private readonly changes: Observable<MessageEvent>;

  constructor(status: ClusterStatus, feed: ChangeFeed) {
    this.states = timer(0, STATUS_INTERVAL_MS).pipe(
      exhaustMap(async () => status.read()),
      map((data) => ({ type: 'status', data })),
      share({ connector: () => new ReplaySubject(1) }),
    );
    this.changes = new Observable((subscriber) =>
      feed.watch({
        onChange: (event) => subscriber.next({ type: 'change', data: describeChange(event) }),
        onConnection: (isLive) => subscriber.next({ type: 'connection', data: { isLive } }),
      }),
    );
  }

  /** `status` at once and every five seconds, `change` for each step of a change, `connection` when changes begin or stop to arrive. */
  stream(): Observable<MessageEvent> {
    return merge(this.states, this.changes);
  }
}
