import { eventually } from './own-cluster.js';

/**
 * @param read sends a request to a process that was paused, which may answer 503 until its connections are up again
 * @returns the first other status
 */
export async function afterPause(read: () => Promise<number>): Promise<number> {
  let status = 503;
  await eventually('the process answers', 10_000, async () => (status = await read()) !== 503);
  return status;
}
