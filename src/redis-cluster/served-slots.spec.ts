import { agrees, parseSlots, type SlotMap, type SlotRange } from './served-slots.js';

const [a, b, c] = [
  ['127.0.0.1', 7000, 'a', []],
  ['127.0.0.1', 7001, 'b', []],
  ['127.0.0.1', 7002, 'c', []],
] as const;

/** A map as ioredis builds it: the slots of a range share one list. */
function mapOf(ranges: readonly SlotRange[]): SlotMap {
  const map: string[][] = [];
  for (const { first, last, nodes } of ranges) {
    const list = [...nodes];
    for (let slot = first; slot <= last; slot += 1) {
      map[slot] = list;
    }
  }
  return map;
}

describe('the slots that a master reports', () => {
  const slots = parseSlots([
    [0, 100, a, b, c],
    [101, 16_383, b],
  ]);

  it('name the nodes of each range, and count each node once', () => {
    expect(slots.ranges).toEqual([
      { first: 0, last: 100, nodes: ['127.0.0.1:7000', '127.0.0.1:7001', '127.0.0.1:7002'] },
      { first: 101, last: 16_383, nodes: ['127.0.0.1:7001'] },
    ]);
    expect(slots.nodes).toBe(3);
  });

  it('agree with a map from another order of ranges and replicas, and from smaller ranges', () => {
    const { ranges } = parseSlots([
      [101, 200, b],
      [201, 16_383, b],
      [0, 100, a, c, b],
    ]);

    expect(agrees(mapOf(ranges), slots.ranges)).toBe(true);
  });

  it('have the addresses at which the nodes are reached', () => {
    const { ranges } = parseSlots([[0, 16_383, a]], {
      '127.0.0.1:7000': { host: 'redis.example', port: 6379 },
    });

    expect(ranges[0]!.nodes).toEqual(['redis.example:6379']);
  });

  it('leave out a node without an address, as ioredis does', () => {
    expect(parseSlots([[0, 16_383, a, [null, 7001], ['', 7002]]])).toMatchObject({ nodes: 1 });
  });

  it.each([
    ['another master', [0, 100, b, a, c] as const],
    ['a lost replica', [0, 100, a, b] as const],
    ['another range', [0, 99, a, b, c] as const],
    ['a longer range', [0, 101, a, b, c] as const],
    ['a node at another address', [0, 100, ['127.0.0.2', 7000, 'a', []], b, c] as const],
  ])('do not agree with a map that has %s', (_, range) => {
    const { ranges } = parseSlots([[101, 16_383, b], range]);

    expect(agrees(mapOf(ranges), slots.ranges)).toBe(false);
  });
});
