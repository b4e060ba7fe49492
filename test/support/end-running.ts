import { running } from './running.js';

// Processes of a failed test would keep the runner from exiting.
afterAll(async () => {
  await Promise.all([...running].map((end) => end()));
});
