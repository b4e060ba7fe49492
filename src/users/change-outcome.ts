import type { UserRecord } from '../user-slot/read/index.js';
import { CONFLICT } from '../user-slot/write/index.js';
import type { ChangeOutcome } from './store/accounts.js';

/** Converts the result of a write. After `outdated`, another call has changed the password, so it must be checked again. */
export function outcomeOf(
  result: ChangeOutcome,
):
  | { readonly outcome: 'changed'; readonly user: UserRecord }
  | { readonly outcome: 'unknown-user' }
  | typeof CONFLICT {
  switch (result.outcome) {
    case 'changed':
      return { outcome: 'changed', user: result.user };
    case 'outdated':
      return CONFLICT;
    case 'last-administrator':
    case 'protected':
    case 'unknown':
      return { outcome: 'unknown-user' };
  }
}
