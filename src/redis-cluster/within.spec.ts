import { setTimeout as delay } from 'node:timers/promises';

import { within } from './within.js';

describe('within', () => {
  it.each([Infinity, 2 ** 31])('waits for as long as it takes when there are %d ms', async (ms) => {
    expect(await within(ms, delay(30, 'done'))).toBe('done');
  });

  it.each([-1, 0, 5])('does not wait for longer than %d ms', async (ms) => {
    await expect(within(ms, delay(500, 'done', { ref: false }))).rejects.toThrow(
      'no reply in time',
    );
  });
});
