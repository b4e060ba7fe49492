import { running } from './running.js';

// Otherwise the processes of a failed test would prevent the runner from exiting.
afterAll(async () => {
  await Promise.all([...running].map((end) => end()));
});
