import { areaUnderCurve } from './auc.js';

describe('the area under the curve', () => {
  it.each<[string, number[], number[], number]>([
    ['the same times', [1, 2, 3], [1, 2, 3], 0.5],
    ['times that are always longer', [4, 5], [1, 2, 3], 1],
    ['times that are always shorter', [1], [2, 3], 0],
    ['times of which some are longer', [3, 1], [2, 2], 0.5],
    ['times that are longer in three of four pairs', [2, 4], [1, 3], 0.75],
  ])('of %s', (_, ones, others, area) => {
    expect(areaUnderCurve(ones, others)).toBe(area);
  });
});
