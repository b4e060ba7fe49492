import { LuaScript } from '../redis-cluster/index.js';
import { userFromFields } from '../users/index.js';
import type { RefreshOutcome, Session, SessionCheck, SessionState } from './session.js';

/** The fields of a user that a request may need. */
export const USER_FIELDS = [
  'id',
  'username',
  'email',
  'displayName',
  'roles',
  'createdAt',
  'updatedAt',
];

/** One for all sessions: an empty set for each would be a tenth of what the near cache keeps of it. */
const NONE: ReadonlySet<string> = new Set();

const load = LuaScript.loaderFor(import.meta.url);

/** The scripts of this module. What each one does, takes and returns is written at its head. */
export const scripts = {
  start: load('start-session', (reply) => reply as 'started' | 'full' | 'refused'),
  use: load('use-session', parseState),
  check: load('check-session', parseCheck),
  end: load('end-session', (reply) => reply === 1),
  list: load('list-sessions', parseSessions),
  rotate: load('rotate-refresh-token', parseRefresh),
  revokeToken: load('revoke-token', (reply) => reply === 1),
};

function parseState(reply: unknown): SessionState {
  const [state, leftMs, revoked = '{}', ...values] = reply as [string, number?, ...string[]];
  if (state !== 'live') {
    return { state: state === 'unverified' ? 'unverified' : 'ended' };
  }
  const fields = new Map(USER_FIELDS.map((name, index) => [name, values[index] ?? '']));
  return {
    state,
    user: userFromFields(fields),
    revokedTokens: tokensIn(revoked),
    maxAgeMs: leftMs ?? 0,
  };
}

function parseCheck(reply: unknown): SessionCheck {
  const [state, endsInMs = 0, revoked = '{}'] = reply as [string, number?, string?];
  return state === 'live'
    ? { state, endsInMs, revokedTokens: tokensIn(revoked) }
    : { state: 'ended' };
}

function tokensIn(revoked: string): ReadonlySet<string> {
  return revoked === '{}' ? NONE : new Set(Object.keys(JSON.parse(revoked) as object));
}

function parseSessions(reply: unknown): Session[] {
  const list = reply as string[];
  const sessions: Session[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const stored = JSON.parse(list[index + 1]!) as Record<string, never>;
    sessions.push({
      id: list[index]!,
      createdAt: new Date(stored['createdAt']!),
      lastUsedAt: new Date(stored['lastUsedAt']!),
      ip: stored['ip']!,
      userAgent: stored['userAgent']!,
    });
  }
  return sessions.sort((one, other) => other.lastUsedAt.getTime() - one.lastUsedAt.getTime());
}

function parseRefresh(reply: unknown): RefreshOutcome {
  const [outcome, ...details] = reply as [RefreshOutcome['outcome'], ...(string | number)[]];
  switch (outcome) {
    case 'replayed':
      return { outcome, sealedAnswers: details.map(String) };
    case 'limited':
      return { outcome, retryAfterSeconds: Math.ceil(Number(details[0]) / 1000) };
    case 'rotated':
    case 'reused':
    case 'ended':
      return { outcome };
  }
}
