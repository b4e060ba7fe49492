import argon2 from 'argon2';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';

import { lowerThreadPoolPriority } from './thread-pool-priority.js';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

/** Long enough that no other work of the process takes as much time. */
const hash = async (): Promise<string> =>
  argon2.hash('a password', { memoryCost: 19_456, timeCost: 10 });

/** Nanoseconds that each thread has run, except the one of the event loop. */
function runTimes(): Map<number, number> {
  const threads = readdirSync('/proc/self/task').map(Number);
  const others = threads.filter((thread) => thread !== process.pid);
  return new Map(
    others.map((thread) => {
      const [ran] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
      return [thread, Number(ran)];
    }),
  );
}

onLinux('lowerThreadPoolPriority', () => {
  it('lets passwords be hashed at a lower priority than requests are answered', async () => {
    await hash();
    lowerThreadPoolPriority();

    const before = runTimes();
    await Promise.all(Array.from({ length: 4 }, hash));
    const ran = [...runTimes()].map(([thread, time]) => ({
      isLower: getPriority(thread) > getPriority(),
      time: time - (before.get(thread) ?? 0),
    }));

    const timeAt = (lower: boolean): number =>
      ran.filter(({ isLower }) => isLower === lower).reduce((sum, { time }) => sum + time, 0);
    expect(timeAt(true)).toBeGreaterThan(10 * timeAt(false));
  });

  it('changes nothing when it is called again', () => {
    lowerThreadPoolPriority();
    const priorities = [...runTimes().keys()].map((thread) => getPriority(thread));

    lowerThreadPoolPriority();

    expect([...runTimes().keys()].map((thread) => getPriority(thread))).toEqual(priorities);
  });
});
