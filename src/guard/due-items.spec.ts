import { DueItems } from './due-items.js';

describe('items that are due at some time', () => {
  it('are taken once, when their time has come', () => {
    const items = new DueItems<string>();
    items.add(12, 'later');
    items.add(10, 'first');
    items.add(10, 'second');

    expect(items.take(9)).toEqual([]);
    expect(items.take(11)).toEqual(['first', 'second']);
    expect(items.take(11)).toEqual([]);
    expect(items.take(12)).toEqual(['later']);
    expect(items.take(Infinity)).toEqual([]);
  });

  it('are not taken after they were deleted', () => {
    const items = new DueItems<string>();
    items.add(10, 'deleted');
    items.add(10, 'kept');
    items.add(11, 'alone');

    items.delete(10, 'deleted');
    items.delete(11, 'alone');
    items.delete(12, 'unknown');

    expect(items.take(20)).toEqual(['kept']);
  });

  it('are taken at the next time if they were added too late', () => {
    const items = new DueItems<string>();
    items.take(20);

    items.add(10, 'late');

    expect(items.take(20)).toEqual(['late']);
  });
});
