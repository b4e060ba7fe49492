import { RestartPolicy } from './restart-policy.js';

const LONG = 60_000;
const SHORT = 500;

describe('the replacement of a worker', () => {
  const delaysAfter = (...uptimes: number[]): (number | undefined)[] => {
    const policy = new RestartPolicy();
    return uptimes.map((uptime) => policy.delayAfter(uptime));
  };

  it('starts at once after a worker that has served for some time, each time', () => {
    expect(delaysAfter(...Array<number>(20).fill(LONG))).toEqual(Array(20).fill(0));
  });

  it('waits longer after each worker that ends right after its start, and is given up after the sixth', () => {
    expect(delaysAfter(...Array<number>(6).fill(SHORT))).toEqual([
      0,
      1000,
      2000,
      4000,
      8000,
      undefined,
    ]);
  });

  it('counts a worker that ended before it was ready', () => {
    expect(delaysAfter(-Infinity, -Infinity)).toEqual([0, 1000]);
  });

  it('begins anew after a worker that has served for some time', () => {
    expect(delaysAfter(SHORT, SHORT, SHORT, LONG, SHORT, SHORT)).toEqual([
      0, 1000, 2000, 0, 0, 1000,
    ]);
  });
});
