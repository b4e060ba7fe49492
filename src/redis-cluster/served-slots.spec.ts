import { areSameSlots, parseSlots } from './served-slots.js';

const [a, b, c] = [
  ['127.0.0.1', 7000, 'a', []],
  ['127.0.0.1', 7001, 'b', []],
  ['127.0.0.1', 7002, 'c', []],
] as const;

describe('the slots that a master reports', () => {
  const slots = parseSlots([
    [0, 100, a, b, c],
    [101, 16_383, b],
  ]);

  it('name the nodes of each slot, and count each node once', () => {
    expect(slots.map[100]).toEqual(['127.0.0.1:7000', '127.0.0.1:7001', '127.0.0.1:7002']);
    expect(slots.map[101]).toEqual(['127.0.0.1:7001']);
    expect(slots.nodes).toBe(3);
  });

  it('are the same in another order of ranges and replicas, and in smaller ranges', () => {
    const inAnotherOrder = parseSlots([
      [101, 200, b],
      [201, 16_383, b],
      [0, 100, a, c, b],
    ]);

    expect(areSameSlots(inAnotherOrder.map, slots.map)).toBe(true);
  });

  it('have the addresses at which the nodes are reached', () => {
    const announced = parseSlots([[0, 16_383, a]], {
      '127.0.0.1:7000': { host: 'redis.example', port: 6379 },
    });

    expect(announced.map[0]).toEqual(['redis.example:6379']);
  });

  it('leave out a node without an address, as ioredis does', () => {
    expect(parseSlots([[0, 16_383, a, [null, 7001], ['', 7002]]])).toMatchObject({ nodes: 1 });
  });

  it.each([
    ['another master', [0, 100, b, a, c] as const],
    ['a lost replica', [0, 100, a, b] as const],
    ['another range', [0, 99, a, b, c] as const],
    ['a node at another address', [0, 100, ['127.0.0.2', 7000, 'a', []], b, c] as const],
  ])('differ for %s', (_, range) => {
    const others = parseSlots([range, [101, 16_383, b]]);

    expect(areSameSlots(others.map, slots.map)).toBe(false);
  });
});
