import { setImmediate as turn } from 'node:timers/promises';

import { FollowUps } from './follow-ups.js';

describe('work that follows changes', () => {
  it('is done at most 16 at a time, all of it', async () => {
    const followUps = new FollowUps();
    const ends: (() => void)[] = [];
    for (let count = 0; count < 40; count += 1) {
      followUps.add(async () => new Promise<void>((end) => ends.push(end)));
    }

    for (const begun of [16, 32, 40]) {
      await turn();
      expect(ends).toHaveLength(begun);
      ends.forEach((end) => end());
    }
  });

  it('is repeated after an error, five times at most', async () => {
    const followUps = new FollowUps();
    const attempts = { lucky: 0, unlucky: 0 };
    followUps.add(async () => {
      attempts.lucky += 1;
      return attempts.lucky === 3 ? Promise.resolve() : Promise.reject(new Error('away'));
    });
    followUps.add(async () => {
      attempts.unlucky += 1;
      return Promise.reject(new Error('away'));
    });

    await turn();

    expect(attempts).toEqual({ lucky: 3, unlucky: 5 });
  });

  it('is dropped when more than 10,000 wait', async () => {
    const followUps = new FollowUps();
    let done = 0;
    for (let count = 0; count < 20_000; count += 1) {
      followUps.add(async () => {
        await turn();
        done += 1;
      });
    }

    while (done < 10_016) {
      await turn();
    }
    await turn();
    expect(done).toBe(10_016);
  });
});
