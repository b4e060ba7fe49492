import { History, type Kind, type Operation } from './history.js';
import { recoveriesOf, violationsOf, type Violations } from './promises.js';

/** The checks of the fault suite are only worth something if they can fail. */
describe('the promises, checked against a history', () => {
  let history: History;
  let now: number;
  beforeEach(() => {
    history = new History();
    now = 0;
  });

  /** One request after the other, each of 10 ms, with the right answer unless it is told otherwise. */
  const after = (kind: Kind, changes: Partial<Operation> = {}): void => {
    const begin = changes.begin ?? now;
    const operation: Operation = {
      ...{ kind, instance: 0, begin, end: begin + 10, user: 'ada', hasRetryAfter: true },
      ...(kind === 'register' ? { status: 201 } : { session: 's', status: 200 }),
      ...changes,
    };
    history.record(operation);
    now = operation.end + 10;
  };
  const NONE: Violations = { lost: [], accepted: [], dishonest: [], late: [] };
  const broken = (): string[] =>
    Object.entries(violationsOf(history) as unknown as Record<string, string[]>).flatMap(
      ([name, list]) => list.map(() => name),
    );

  it('finds nothing where all is well', () => {
    after('register');
    after('login');
    after('change', { value: 'one' });
    after('read', { value: 'one' });
    after('refresh');
    after('change', { value: 'two', status: 503 });
    after('read', { value: 'two' });
    after('logout', { status: 204 });
    after('read', { status: 401 });

    expect(violationsOf(history)).toEqual(NONE);
  });

  it.each<[string, string, () => void]>([
    [
      'a user who is gone',
      'lost',
      () => {
        after('register');
        after('login', { status: 401 });
      },
    ],
    [
      'a session that is gone',
      'lost',
      () => {
        after('login');
        after('read', { status: 401 });
      },
    ],
    [
      'a change that is gone',
      'lost',
      () => {
        after('change', { value: 'one' });
        after('change', { value: 'two' });
        after('read', { value: 'one' });
      },
    ],
    [
      'a change that came late and undid a newer one',
      'lost',
      () => {
        after('change', { value: 'one', status: 503 });
        after('change', { value: 'two' });
        after('read', { value: 'one' });
      },
    ],
    [
      'a token that works after the logout',
      'accepted',
      () => {
        after('login');
        after('logout', { status: 204 });
        after('read', { instance: 1 });
      },
    ],
    [
      'a token that works although the repeated logout said that it does not',
      'accepted',
      () => {
        after('login');
        after('logout', { status: 503 });
        after('logout', { status: 401 });
        after('refresh');
      },
    ],
    [
      'a session that is gone when it logs out',
      'lost',
      () => {
        after('login');
        after('logout', { status: 401 });
      },
    ],
    [
      'a user who could log in once, and cannot any more',
      'lost',
      () => {
        after('register', { status: 503 });
        after('register', { status: 409 });
        after('login');
        after('login', { session: 't', status: 401 });
      },
    ],
    [
      'a 503 when everything is whole again',
      'dishonest',
      () => {
        history.calmFrom = 0;
        after('read', { begin: 10, status: 503 });
      },
    ],
    ['an internal error', 'dishonest', () => after('read', { status: 500 })],
    [
      'a 503 that does not say when to come back',
      'dishonest',
      () => after('read', { status: 503, hasRetryAfter: false }),
    ],
    [
      'no answer from an instance that nobody touched',
      'dishonest',
      () => after('read', { status: 0 }),
    ],
    [
      'a name that is taken though nobody took it',
      'dishonest',
      () => after('register', { status: 409 }),
    ],
    ['a read that took too long', 'late', () => after('read', { begin: 0, end: 3000 })],
    [
      'a logout that took too long',
      'late',
      () => after('logout', { begin: 0, end: 6000, status: 503 }),
    ],
  ])('finds %s', (_, name, happen) => {
    happen();

    expect(broken()).toEqual([name]);
  });

  it('excuses what an instance does that was stopped on purpose, and no other', async () => {
    await history.disturb(0, async () => Promise.resolve());
    const { begin } = history.disturbances[0]!;
    after('read', { begin, end: begin + 9000, status: 0 });
    after('read', { instance: 1, begin, end: begin + 9000, status: 0 });

    expect(broken().sort()).toEqual(['dishonest', 'late']);
  });

  it('lets a spent refresh token end its session when the lost answer was asked for too late', () => {
    after('login');
    after('refresh', { begin: 1000, end: 2000, status: 503 });
    after('refresh', { begin: 13_000, end: 13_010, status: 401 });
    expect(violationsOf(history)).toEqual(NONE);

    after('login', { session: 't' });
    after('refresh', { session: 't', status: 503 });
    after('refresh', { session: 't', status: 401 });
    expect(broken()).toEqual(['lost']);
  });

  it('measures how long clients were turned away after each fault', async () => {
    await history.fault('one', async () => Promise.resolve());
    const { begin } = history.faults[0]!;
    after('read', { begin: begin + 100, end: begin + 1600, status: 503 });
    after('read', { begin: begin + 200, end: begin + 3300, status: 503 });
    after('read', { begin: begin + 4000 });

    expect(recoveriesOf(history, 'begin')).toEqual([3300]);
  });
});
