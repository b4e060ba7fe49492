import type { MemberNote, Members } from './control-log.js';
import { leaseTimeoutMs } from './near-cache.options.js';

interface Observation {
  readonly note: MemberNote;
  /** On the monotonic clock. */
  readonly since: number;
}

/** Finds members whose lease has expired because they did not renew it: they have crashed or are disconnected. */
export class SilentMembers {
  private seen = new Map<string, Observation>();

  /**
   * @returns members whose entry has been unchanged for longer than their lease, measured with the clock of this instance
   */
  observe(members: Members, now: number): Members {
    const previous = this.seen;
    this.seen = new Map();
    const silent = new Map<string, MemberNote>();
    for (const [instance, note] of members) {
      const before = previous.get(instance);
      const since = before?.note.text === note.text ? before.since : now;
      this.seen.set(instance, { note, since });
      if (now - since > leaseTimeoutMs(note.leaseMs)) {
        silent.set(instance, note);
      }
    }
    return silent;
  }
}
