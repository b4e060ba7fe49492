import { RefusalLimit } from './refusal-limit.js';

describe('the limit of refusals', () => {
  let now = 0;
  const acceptedOf = (limit: RefusalLimit, actorId: string, tries: number): number =>
    Array.from({ length: tries }, () =>
      limit.isExceededBy({ type: 'permission-refused', actorId, reason: 'missing-permission' }),
    ).filter((isExceeded) => !isExceeded).length;
  const newLimit = (): RefusalLimit => new RefusalLimit({ monotonic: () => now });

  it('allows each caller twenty in a minute', () => {
    const limit = newLimit();
    expect(acceptedOf(limit, 'ada', 100)).toBe(20);
    expect(acceptedOf(limit, 'grace', 100)).toBe(20);

    now += 59_999;
    expect(acceptedOf(limit, 'ada', 100)).toBe(0);
    now += 1;
    expect(acceptedOf(limit, 'ada', 100)).toBe(20);
  });

  it('does not count other events', () => {
    const limit = newLimit();
    for (let count = 0; count < 100; count += 1) {
      expect(limit.isExceededBy({ type: 'login-refused', actorId: 'ada' })).toBe(false);
    }
  });
});
