import { QUESTION_BURST, QUESTION_INTERVAL_MS, QuestionBudget } from './question-budget.js';

describe('the budget for questions about unverified tokens', () => {
  let now = 0;
  const budgetOf = (): QuestionBudget => new QuestionBudget({ monotonic: () => now });
  const takenFrom = (budget: QuestionBudget, tries: number): number =>
    Array.from({ length: tries }, () => budget.take()).filter(Boolean).length;

  it('is used up by forgeries, and earned again with time, up to its size', () => {
    const budget = budgetOf();
    expect(takenFrom(budget, 1000)).toBe(QUESTION_BURST);

    now += 2.5 * QUESTION_INTERVAL_MS;
    expect(takenFrom(budget, 1000)).toBe(2);
    now += 0.5 * QUESTION_INTERVAL_MS;
    expect(takenFrom(budget, 1000)).toBe(1);
    now += 10 * QUESTION_BURST * QUESTION_INTERVAL_MS;
    expect(takenFrom(budget, 1000)).toBe(QUESTION_BURST);
  });

  it('is not used up by any number of genuine tokens, one after the other', () => {
    const budget = budgetOf();
    for (let token = 0; token < 10 * QUESTION_BURST; token += 1) {
      expect(budget.take()).toBe(true);
      budget.giveBack();
    }
    expect(takenFrom(budget, 1000)).toBe(QUESTION_BURST);
  });

  it('never exceeds its size, whatever is given back', () => {
    const budget = budgetOf();
    budget.giveBack();
    expect(takenFrom(budget, 1000)).toBe(QUESTION_BURST);
  });
});
