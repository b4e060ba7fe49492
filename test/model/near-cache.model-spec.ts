import { define, expectNoError, unreached, verify, verifyAll } from './verify.js';

const model = new URL('near-cache.pml', import.meta.url);

/** The parts of the model that are searched together, as macros. Each search is complete. */
const searches = {
  twoHolders: ['SHORT_INBOX', 'MEMBERS=2'],
  crash: ['SHORT_INBOX', 'CRASHES', 'LATE_COPIES', 'SETTLES'],
  subjectFailover: ['SHORT_INBOX', 'SUBJECT_FAILS', 'CRASHES', 'LATE_COPIES'],
  settleAndFailover: ['SHORT_INBOX', 'SUBJECT_FAILS', 'CRASHES', 'SETTLES', 'ONE_CHANGE'],
  elsewhere: ['SHORT_INBOX', 'ELSEWHERE', 'CRASHES', 'SETTLES', 'BY_A_THIRD'],
  elsewhereAndFailover: ['SHORT_INBOX', 'ELSEWHERE', 'CRASHES', 'SUBJECT_FAILS'],
  inbox: ['CRASHES'],
  twoInboxes: ['SHORT_DIRECTORY', 'SHORT_RENEWALS', 'MEMBERS=2'],
  inboxFailover: ['SHORT_DIRECTORY', 'INBOX_FAILS', 'BY_A_THIRD'],
  lostInbox: ['SHORT_DIRECTORY', 'INBOX_LOST'],
  newId: ['NEW_IDS', 'LATE_COPIES', 'ONE_CHANGE'],
  newIdAndTwoChanges: ['SHORT_DIRECTORY', 'SHORT_RENEWALS', 'NEW_IDS', 'BY_A_THIRD'],
};
type Search = keyof typeof searches;

/** A smaller number means that a search lacks a part. */
const minStates: [search: Search, states: number][] = [
  ['twoHolders', 100_000],
  ['crash', 300_000],
  ['subjectFailover', 200_000],
  ['settleAndFailover', 30_000],
  ['elsewhere', 400_000],
  ['elsewhereAndFailover', 400_000],
  ['inbox', 400_000],
  ['twoInboxes', 700_000],
  ['inboxFailover', 800_000],
  ['lostInbox', 200_000],
  ['newId', 25_000],
  ['newIdAndTwoChanges', 800_000],
];

/** The rules, each with the macro that breaks it in the model, and a search that finds the old answer. */
const rules: [rule: string, macro: string, search: Search][] = [
  ['a change waits for the holders', 'NO_ACK', 'inbox'],
  ['the cache is trusted only during the lease', 'NO_LEASE', 'inbox'],
  ['a request is answered by the current master', 'NO_FENCE', 'subjectFailover'],
  ['a load does not read before it registers', 'REGISTER_AFTER_READ', 'twoHolders'],
  [
    'a registration counts only after a replica has it',
    'REGISTRATION_NOT_DURABLE',
    'subjectFailover',
  ],
  ['a load that was detached is not stored', 'STORE_LATE', 'twoHolders'],
  ['a load that was detached is not shared', 'SHARE_LATE', 'twoHolders'],
  ['an instance that begins anew detaches its loads', 'LOADS_KEPT', 'newId'],
  ['a change counts only after a replica has it', 'CHANGE_NOT_DURABLE', 'subjectFailover'],
  ['a change moves the holders when it writes', 'CLEAR_AT_END', 'twoHolders'],
  ['a change waits for the holders of other changes', 'TAKE_WITHOUT_UNION', 'twoHolders'],
  ['a note contains the instance that makes the change', 'OWN_LEFT_OUT', 'twoHolders'],
  ['a change elsewhere opens its note before it writes', 'NOTE_AFTER_WRITE', 'elsewhere'],
  ['a second run of a change does not write', 'SECOND_RUN_WRITES', 'twoHolders'],
  ['a second run of a change does not move holders', 'SECOND_RUN_MOVES', 'twoHolders'],
  ['a second run of a change elsewhere does not move holders', 'SECOND_RUN_MOVES', 'elsewhere'],
  ['a second run of a change returns the holders of others', 'DONE_TELLS_NOTHING', 'twoHolders'],
  [
    'a change finishes only notes that it has seen written',
    'FINISH_WHAT_WAS_NOT_SEEN',
    'elsewhere',
  ],
  ['settling includes the directory', 'SETTLE_LEAVES_UNWRITTEN', 'elsewhere'],
  ['a post counts only after a replica has it', 'POST_NOT_DURABLE', 'inboxFailover'],
  ['a renewal counts only after a replica has it', 'RENEWAL_NOT_DURABLE', 'inboxFailover'],
  ['messages are applied before the lease is extended', 'EXTEND_BEFORE_APPLY', 'inbox'],
  ['a lease starts before its renewal is sent', 'LEASE_FROM_REPLY', 'inbox'],
  ['a late renewal has no effect', 'LATE_RENEWAL_COUNTS', 'inbox'],
  [
    'a message from the channel does not advance the position',
    'POSITION_FROM_CHANNEL',
    'inboxFailover',
  ],
  ['an instance whose lease ends empties its memory', 'LAPSE_KEEPS', 'inboxFailover'],
  ['a message is applied before it is acknowledged', 'ACK_BEFORE_APPLY', 'inbox'],
  ['an acknowledgement names its message', 'ACK_NOT_EXACT', 'inbox'],
  ['a change waits although there is no inbox', 'MISSING_IS_NOBODY', 'lostInbox'],
  ['a change waits while another one closes the inbox', 'CLOSING_IS_CLOSED', 'lostInbox'],
  ['an inbox is not closed after a renewal', 'CLOSE_WITHOUT_COMPARING', 'inbox'],
  ['only the current master says that an inbox is closed', 'CLOSED_NOT_FENCED', 'inboxFailover'],
  ['an instance empties its memory before it closes its inbox', 'CLOSED_BEFORE_DROP', 'newId'],
  ['an instance empties its memory before the retired mark', 'RETIRED_BEFORE_DROP', 'newId'],
  ['only the instance writes its retired mark', 'RETIRED_BY_CHANGER', 'newId'],
];

describe('the model of the near cache', () => {
  it.each(minStates)(
    'never answers from an older state, and every change returns: %s',
    async (search, states) => {
      const report = await verifyAll(model, '-o3', ...define('WITNESS', ...searches[search]));

      expectNoError(report, states);
      // All cases that the protocol handles occur.
      expect(unreached(report, 'Witness')).toEqual(['-end-']);
    },
    240_000,
  );

  it('reaches every step of an instance', async () => {
    // Unreached steps inside a d_step are not reported.
    const report = await verifyAll(model, '-Dd_step=atomic', '-o3', ...define(...searches.inbox));

    expect(unreached(report, 'Member')).toEqual([]);
  });

  it.each(rules)(
    'needs the rule that %s',
    async (_, macro, search) => {
      const report = await verify(model, ...define(macro, ...searches[search]));

      expect(report).toMatch(/assertion violated/);
    },
    120_000,
  );

  it('needs the rule that a change does not wait for longer than a lease', async () => {
    const report = await verify(model, ...define('ONLY_ACKS', ...searches.inbox));

    expect(report).toMatch(/invalid end state \(/);
  });
});
