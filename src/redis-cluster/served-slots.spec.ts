import { parseSlots } from './served-slots.js';

const [a, b, c] = [
  ['127.0.0.1', 7000, 'a', []],
  ['127.0.0.1', 7001, 'b', []],
  ['127.0.0.1', 7002, 'c', []],
] as const;

describe('parseSlots', () => {
  const slots = parseSlots([
    [0, 100, a, b, c],
    [101, 16_383, b],
  ]);

  it('counts each node once', () => {
    expect(slots.nodes).toBe(3);
  });

  it('does not depend on the order of ranges and replicas', () => {
    const inAnotherOrder = parseSlots([
      [101, 16_383, b],
      [0, 100, a, c, b],
    ]);

    expect(inAnotherOrder).toEqual(slots);
  });

  it.each([
    ['another master', [0, 100, b, a, c] as const],
    ['a lost replica', [0, 100, a, b] as const],
    ['another range', [0, 99, a, b, c] as const],
    ['a node at another address', [0, 100, ['127.0.0.2', 7000, 'a', []], b, c] as const],
  ])('differs for %s', (_, range) => {
    expect(parseSlots([range, [101, 16_383, b]]).text).not.toBe(slots.text);
  });
});
