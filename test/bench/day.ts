import type { Random } from '../chaos/random.js';
import { login, ownUser, refresh, rename, type LoadRequest } from './request-list.js';
import type { SeededSession } from './seeded-session.js';
import { Zipf } from './zipf.js';

/** Per 1000 requests; all others are reads. Logins are rare, because a session lasts for weeks. */
export const SHARES = { refresh: 25, change: 24, login: 1 } as const;

/** The number of sessions that are refreshed, once each. */
export function refreshCount(requests: number): number {
  return Math.ceil((requests * SHARES.refresh) / 1000);
}

/** Requests of a typical day: few users send many requests, most users send few. */
export function requestsOfDay(
  count: number,
  readers: readonly SeededSession[],
  refreshing: readonly SeededSession[],
  random: Random,
): LoadRequest[] {
  const zipf = new Zipf(readers.length);
  const left = [...refreshing];
  return Array.from({ length: count }, (_, index) => {
    const reader = readers[zipf.draw(random)]!;
    const lot = Math.floor(random.next() * 1000);
    const spare = lot < SHARES.refresh ? left.pop() : undefined;
    if (spare) {
      return refresh(spare);
    }
    if (lot < SHARES.refresh || lot >= SHARES.refresh + SHARES.change + SHARES.login) {
      return ownUser(reader.header);
    }
    return lot < SHARES.refresh + SHARES.change ? rename(reader, `Name ${index}`) : login(reader);
  });
}
