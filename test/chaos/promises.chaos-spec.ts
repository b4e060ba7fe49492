import { whyDishonest } from './honesty.js';
import { History, type Kind, type Operation } from './history.js';
import { recoveriesOf } from './availability.js';
import type { Expectations } from './expectations.js';
import { violationsOf, type Findings } from './promises.js';

const HONEST_RESPONSE = { status: 200, hasRetryAfter: true, isDisturbed: false };

/** Proves that the checks of the fault suite can fail. */
describe('the promises, checked against a history', () => {
  let history: History;
  let now: number;
  beforeEach(() => {
    history = new History();
    now = 0;
  });

  /** Adds a request of 10 ms after the previous one, with a correct response unless `changes` override it. */
  const after = (kind: Kind, changes: Partial<Operation> = {}): void => {
    const begin = changes.begin ?? now;
    const operation: Operation = {
      kind,
      instance: 0,
      begin,
      end: begin + 10,
      user: 'ada',
      hasRetryAfter: true,
      ...(kind === 'register' ? { status: 201 } : { session: 's', status: 200 }),
      ...changes,
    };
    history.record(operation);
    now = operation.end + 10;
  };
  const NONE: Findings = {
    lost: [],
    lostWithOneCopy: [],
    accepted: [],
    dishonest: [],
    late: [],
    unavailable: [],
    slow: [],
  };
  const EXPECTED: Expectations = { recovery: { from: 'begin', withinMs: 5000 } };
  const check = (changes: Partial<Expectations> = {}, delayMs = 0): Findings =>
    violationsOf(history, { ...EXPECTED, ...changes }, delayMs);
  const broken = (...args: Parameters<typeof check>): string[] =>
    Object.entries(check(...args) as unknown as Record<string, string[]>).flatMap(([name, list]) =>
      list.map(() => name),
    );
  /** Records a fault that excuses refused requests from now on. */
  const breakSomething = (begin = 0, end = Infinity): void =>
    void history.faults.push({ name: 'kill', begin, end });

  it('finds no violation in a correct history', () => {
    breakSomething();
    after('register');
    after('login');
    after('change', { value: 'one' });
    after('read', { value: 'one' });
    after('refresh');
    after('change', { value: 'two', status: 503 });
    after('read', { value: 'two' });
    after('logout', { status: 204 });
    after('read', { status: 401 });

    expect(check()).toEqual(NONE);
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
        breakSomething();
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
        breakSomething();
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
        breakSomething();
        after('register', { status: 503 });
        after('register', { status: 409 });
        after('login');
        after('login', { session: 't', status: 401 });
      },
    ],
    [
      'a 503 when everything is whole again',
      'unavailable',
      () => {
        breakSomething();
        history.repairedFrom = 0;
        after('read', { begin: 10, status: 503 });
      },
    ],
    [
      'a 503 before anything is broken',
      'unavailable',
      () => {
        after('read', { status: 503 });
        breakSomething(1000);
      },
    ],
    ['a 503 where nothing is broken', 'unavailable', () => after('read', { status: 503 })],
    ['an internal error', 'dishonest', () => after('read', { status: 500 })],
    [
      'a 503 that does not say when to come back',
      'dishonest',
      () => {
        breakSomething();
        after('read', { status: 503, hasRetryAfter: false });
      },
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
    ['a logout that took too long', 'late', () => after('logout', { begin: 0, end: 6000 })],
    [
      'a fault that took too long to recover from',
      'slow',
      () => {
        breakSomething();
        after('read', { begin: 5500, status: 503 });
      },
    ],
  ])('finds %s', (_, name, happen) => {
    happen();

    expect(broken()).toEqual([name]);
  });

  it('excuses an instance that was stopped on purpose, and no other', async () => {
    await history.disturb(0, async () => Promise.resolve());
    const { begin } = history.disturbances[0]!;
    after('read', { begin, end: begin + 9000, status: 0 });
    after('read', { instance: 1, begin, end: begin + 9000, status: 0 });

    expect(broken().sort()).toEqual(['dishonest', 'late']);
  });

  it('allows a spent refresh token to end its session when the lost answer is requested too late', () => {
    breakSomething();
    after('login');
    after('refresh', { begin: 1000, end: 2000, status: 503 });
    after('refresh', { begin: 13_000, end: 13_010, status: 401 });
    expect(check({ recovery: { from: 'begin', withinMs: 20_000 } })).toEqual(NONE);

    after('login', { session: 't' });
    after('refresh', { session: 't', status: 503 });
    after('refresh', { session: 't', status: 401 });
    expect(broken({ recovery: { from: 'begin', withinMs: 20_000 } })).toEqual(['lost']);
  });

  it('measures how long requests were refused after each fault', async () => {
    await history.fault('one', async () => Promise.resolve());
    const { begin } = history.faults[0]!;
    after('read', { begin: begin + 100, end: begin + 1600, status: 503 });
    after('read', { begin: begin + 200, end: begin + 3300, status: 503 });
    after('read', { begin: begin + 4000 });

    expect(recoveriesOf(history, 'begin')).toEqual([3300]);
  });

  it('finds that more requests were refused than the scenario allows', () => {
    breakSomething();
    after('read', { status: 503 });
    after('read');
    after('read');

    expect(broken({ maxRefusedShare: 0.5 })).toEqual([]);
    expect(broken({ maxRefusedShare: 0.1 })).toEqual(['unavailable']);
  });

  it('finds a refused request during a fault that affects nobody any more', () => {
    history.faults.push({ name: 'kill', begin: 100, servedFrom: 600, end: 4000 });
    after('read', { begin: 500, status: 503 });
    after('read', { begin: 3999, status: 503 });
    expect(broken()).toEqual([]);

    after('read', { begin: 1000, status: 503 });
    expect(broken()).toEqual(['unavailable']);
  });

  describe('when the only copy of a shard is lost', () => {
    const LOST = 1;
    const OTHER = 2;
    /** The slots of the name and of the sessions. */
    const slots = [OTHER, LOST];
    beforeEach(() => {
      breakSomething();
      history.lostCopies.push({ begin: 1000, end: 5000, has: (some) => some.includes(LOST) });
    });

    const CASES: [string, (changes: Partial<Operation>) => void][] = [
      [
        'a change',
        (changes) => {
          after('change', { begin: 0, value: 'one', slots });
          after('change', { value: 'two', slots, ...changes });
          after('read', { begin: 6000, value: 'one', slots });
        },
      ],
      [
        'a logout',
        (changes) => {
          after('login', { begin: 0, slots });
          after('logout', { status: 204, slots, ...changes });
          after('read', { begin: 6000, slots });
        },
      ],
      [
        'a logout that was repeated',
        (changes) => {
          after('login', { begin: 0, slots });
          after('logout', { status: 503, slots });
          after('logout', { status: 401, slots, ...changes });
          after('read', { begin: 6000, slots });
        },
      ],
      [
        'a session',
        (changes) => {
          after('login', { slots, ...changes });
          after('read', { begin: 6000, status: 401, slots });
        },
      ],
      [
        'a refresh token',
        (changes) => {
          after('login', { begin: 0, slots });
          after('refresh', { slots, ...changes });
          after('refresh', { begin: 6000, status: 401, slots });
        },
      ],
      [
        'a registration',
        (changes) => {
          after('register', { slots, ...changes });
          after('login', { begin: 6000, status: 401, slots });
        },
      ],
    ];

    it.each(CASES)('excuses the loss of %s, and counts it', (_, happen) => {
      happen({ begin: 2000 });

      expect(broken()).toEqual(['lostWithOneCopy']);
    });

    it.each(CASES)('excuses no loss of %s from before', (_, happen) => {
      happen({ begin: 500 });

      expect(broken()).toHaveLength(1);
      expect(broken()).not.toContain('lostWithOneCopy');
    });

    it.each(CASES)('excuses no loss of %s in another shard', (_, happen) => {
      happen({ begin: 2000, slots: [OTHER, OTHER] });

      expect(broken()).toHaveLength(1);
      expect(broken()).not.toContain('lostWithOneCopy');
    });

    it.each<[string, () => void]>([
      [
        'an old value before the copy is lost',
        () => {
          after('change', { begin: 500, value: 'one', slots });
          after('change', { begin: 2000, value: 'two', slots });
          after('read', { begin: 3000, value: 'one', slots });
        },
      ],
      [
        'a value that is older than the lost ones',
        () => {
          after('change', { begin: 100, value: 'one', slots });
          after('change', { begin: 500, value: 'two', slots });
          after('change', { begin: 2000, value: 'three', slots });
          after('read', { begin: 6000, value: 'one', slots });
        },
      ],
      [
        'an old value after a later change',
        () => {
          after('change', { begin: 2000, value: 'one', slots });
          after('change', { begin: 6000, value: 'two', slots });
          after('read', { begin: 7000, value: 'one', slots });
        },
      ],
    ])('finds %s', (_, happen) => {
      happen();

      expect(broken()).toEqual(['lost']);
    });

    it('finds that a token is accepted after a later logout', () => {
      after('login', { begin: 2000, slots });
      after('logout', { begin: 6000, status: 204, slots });
      after('read', { begin: 7000, slots });

      expect(broken()).toEqual(['accepted']);
    });

    it('allows a name to be taken although its user is lost, and a new user with the name', () => {
      after('register', { begin: 2000, userId: 'old', slots });
      after('change', { begin: 3000, userId: 'old', value: 'one', slots });
      after('register', { begin: 6000, status: 409, slots });
      after('register', { begin: 7000, userId: 'new', slots });
      after('read', { session: 't', userId: 'new', slots });

      expect(broken()).toEqual([]);
    });
  });

  describe('during the loss of a shard', () => {
    const LOST = 1;
    const unavailable = (changes: Partial<Operation>): string[] => {
      history.faults.push({
        name: 'kill',
        begin: 100,
        servedFrom: 600,
        end: 4000,
        isAffected: (slots) => slots.includes(LOST),
      });
      after('read', { begin: 1000, slots: [2, 3], status: 503, ...changes });
      return broken();
    };

    it('finds that a request of a user without data there was refused', () =>
      expect(unavailable({})).toEqual(['unavailable']));

    it.each<[string, Partial<Operation>]>([
      ['of a user with data there', { slots: [2, LOST] }],
      ['of a user whose slots are not known', { slots: undefined }],
      ['soon after the loss', { begin: 500 }],
      ['that began before the repair', { begin: 3999 }],
      ['that succeeded', { status: 200 }],
    ])('excuses a request %s', (_, changes) => expect(unavailable(changes)).toEqual([]));
  });

  it('subtracts the delay of the suite itself from late and slow responses', () => {
    breakSomething();
    after('read', { begin: 0, end: 3000 });
    after('read', { begin: 5500, status: 503 });

    expect(broken({}, 1000)).toEqual([]);
    expect(broken({}, 400).sort()).toEqual(['late', 'slow']);
  });

  it('excuses slow instances until each kind of request has succeeded once, and no longer', () => {
    after('read', { begin: 0, end: 6000 });
    after('change', { begin: 0, end: 7000, status: 503 });
    expect(broken().sort()).toEqual(['late', 'late', 'unavailable']);

    history.warmFrom = 100;
    expect(broken()).toEqual([]);
  });

  it('excuses an instance that sheds load on a starved machine', () => {
    after('read', { status: 503, code: 'overloaded' });

    expect(broken({}, 600)).toEqual([]);
    expect(broken({}, 10)).toEqual(['unavailable']);
  });
});

describe('a response to any client', () => {
  it.each([
    ['no answer from an instance that nobody touched', { status: 0 }],
    ['a 503 that does not say when to come back', { status: 503, hasRetryAfter: false }],
    ['an internal error', { status: 500 }],
  ])('is dishonest: %s', (_, seen) => {
    expect(whyDishonest({ ...HONEST_RESPONSE, ...seen })).toBeDefined();
  });

  it.each([
    ['no answer from an instance that was killed', { status: 0, isDisturbed: true }],
    ['a 503 that says when to come back', { status: 503 }],
    ['a refused token', { status: 401, hasRetryAfter: false }],
  ])('is honest: %s', (_, seen) => {
    expect(whyDishonest({ ...HONEST_RESPONSE, ...seen })).toBeUndefined();
  });
});
