import type { MemberNote, Members } from './control-log.js';
import { silenceMs } from './near-cache.options.js';

interface Seen {
  readonly note: MemberNote;
  /** On the monotonic clock. */
  readonly since: number;
}

/** Tells which members have been silent for so long that they trust their memory no more: they died, or are cut off. */
export class SilentMembers {
  private seen = new Map<string, Seen>();

  /** @returns those whose note has not moved for the length of their lease and more, by the clock of who watches */
  observe(members: Members, now: number): Members {
    const previous = this.seen;
    this.seen = new Map();
    const silent = new Map<string, MemberNote>();
    for (const [instance, note] of members) {
      const before = previous.get(instance);
      const since = before?.note.text === note.text ? before.since : now;
      this.seen.set(instance, { note, since });
      if (now - since > silenceMs(note.leaseMs)) {
        silent.set(instance, note);
      }
    }
    return silent;
  }
}
