import { define, expectNoError, unreached, verify, verifyAll } from './verify.js';

const model = new URL('durable-write.pml', import.meta.url);

/** The parts of the model that are searched together, as macros. Each search is complete. */
const searches = {
  write: ['ELECTIONS=2', 'STOPS=3'],
  strictWrite: ['ELECTIONS=2', 'STOPS=3', 'STRICT'],
  lookUp: ['ELECTIONS=2', 'STOPS=3', 'LOOK_UP'],
  twoReplicas: ['REPLICAS=2', 'STOPS=1'],
  afterElection: ['REPLICAS=2', 'ELECTIONS=2', 'AFTER_ELECTION', 'EARLIER_BATCH', 'STOPS=1'],
  anyList: ['REPLICAS=2', 'ELECTIONS=2', 'AFTER_ELECTION', 'STOPS=1'],
};
type Search = keyof typeof searches;

/** A smaller number means that a search lacks a part. */
const minStates: [search: Search, states: number][] = [
  ['write', 300_000],
  ['strictWrite', 200_000],
  ['lookUp', 150_000],
  ['twoReplicas', 200_000],
  ['afterElection', 400_000],
];

/** The rules, each with the macro that breaks it in the model, and a search that finds the lost write. */
const rules: [rule: string, macro: string, search: Search][] = [
  ['every promotable replica confirms', 'NO_WAIT', 'write'],
  ['one of two replicas is not enough', 'WAIT_ONE', 'twoReplicas'],
  ['the list that the master gives after the write counts', 'M_LIST_UNUSED', 'write'],
  ['the masters are asked after the write', 'ASKED_BEFORE', 'write'],
  ['a majority answers', 'MINORITY', 'write'],
  ['other masters are asked', 'ONLY_M', 'write'],
  ['an answer that flags the master does not count', 'FLAGS_IGNORED', 'write'],
  ['an answer that names another master does not count', 'DISAGREEING_COUNTS', 'write'],
  ['a majority leaves a replica out', 'ONE_FAIL', 'write'],
  ['only FAIL leaves a replica out', 'PFAIL_IS_FAIL', 'write'],
  ['a master without slots is not left out', 'MASTER_LEFT_OUT', 'write'],
  ['an orphan is promotable', 'NO_ORPHANS', 'afterElection'],
  ['a look-up is proved', 'UNPROVED', 'lookUp'],
];

/** What Redis must guarantee, as `rules`. */
const assumptions: typeof rules = [
  ['a try is shorter than the node timeout', 'SLOW_TRY', 'write'],
  ['a voter knows the result before it drops FAIL', 'NEWS_LATE', 'write'],
  ['a master lists a replica before the replica has synced', 'LISTED_LATE', 'write'],
  ['a replica that was restarted does not stand', 'RESTARTED_STANDS', 'write'],
  ['the replicas that confirm are the promotable ones', 'ANONYMOUS', 'twoReplicas'],
];

describe('the model of the durable write', () => {
  it.each(minStates)(
    'never loses a confirmed write in an election: %s',
    async (search, states) => {
      const report = await verifyAll(model, '-o3', ...define('WITNESS', ...searches[search]));

      expectNoError(report, states);
      // All cases that the protocol handles occur.
      expect(unreached(report, 'Witness')).toEqual(['-end-']);
    },
    120_000,
  );

  it.each([...rules, ...assumptions])(
    'needs that %s',
    async (_, macro, search) => {
      const report = await verify(model, ...define(macro, ...searches[search]));

      expect(report).toMatch(/assertion violated/);
    },
    60_000,
  );

  it('needs that step 1 compares the list with that of the last confirmed batch', async () => {
    const report = await verify(model, ...define(...searches.anyList));

    expect(report).toMatch(/assertion violated/);
  });
});
