import { Injectable } from '@nestjs/common';
import { defer, finalize, throwError, type Observable } from 'rxjs';

import type { Principal } from '../common/authentication/index.js';
import { Problem } from '../common/problem/index.js';

/** More than the tabs of one person: a browser opens six connections to a host, unless a proxy speaks HTTP/2. */
const MAX_STREAMS = 10;

/** Limits the streams that one session or service account has open at this process. */
@Injectable()
export class CallerStreams {
  private readonly counts = new Map<string, number>();

  /**
   * Takes a place while somebody is subscribed. The place is free again when the stream ends or its client disconnects. Without a free
   * place the stream fails with a problem, which is answered because no event was sent yet.
   */
  limit<Event>(caller: Principal, stream: Observable<Event>): Observable<Event> {
    const id = caller.kind === 'user' ? caller.sessionId : caller.clientId;
    return defer(() => {
      const count = this.counts.get(id) ?? 0;
      if (count >= MAX_STREAMS) {
        return throwError(() => new Problem('too-many-streams'));
      }
      this.counts.set(id, count + 1);
      return stream.pipe(finalize(() => this.release(id)));
    });
  }

  private release(id: string): void {
    const count = this.counts.get(id) ?? 0;
    if (count > 1) {
      this.counts.set(id, count - 1);
    } else {
      this.counts.delete(id);
    }
  }
}
