import { LOOKUP_BURST, LOOKUP_INTERVAL_MS, LookupBudget } from './lookup-budget.js';

describe('the budget of look-ups for unverified tokens', () => {
  let now = 0;
  const budgetOf = (): LookupBudget => new LookupBudget({ monotonic: () => now });
  const takenFrom = (budget: LookupBudget, tries: number): number =>
    Array.from({ length: tries }, () => budget.take()).filter(Boolean).length;

  it('is used up by forged tokens, and refilled over time up to its maximum', () => {
    const budget = budgetOf();
    expect(takenFrom(budget, 1000)).toBe(LOOKUP_BURST);

    now += 2.5 * LOOKUP_INTERVAL_MS;
    expect(takenFrom(budget, 1000)).toBe(2);
    now += 0.5 * LOOKUP_INTERVAL_MS;
    expect(takenFrom(budget, 1000)).toBe(1);
    now += 10 * LOOKUP_BURST * LOOKUP_INTERVAL_MS;
    expect(takenFrom(budget, 1000)).toBe(LOOKUP_BURST);
  });

  it('is not used up by any number of genuine tokens in sequence', () => {
    const budget = budgetOf();
    for (let token = 0; token < 10 * LOOKUP_BURST; token += 1) {
      expect(budget.take()).toBe(true);
      budget.giveBack();
    }
    expect(takenFrom(budget, 1000)).toBe(LOOKUP_BURST);
  });

  it('never exceeds its maximum', () => {
    const budget = budgetOf();
    budget.giveBack();
    expect(takenFrom(budget, 1000)).toBe(LOOKUP_BURST);
  });
});
