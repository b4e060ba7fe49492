import { running } from './running.js';

// What a failed test leaves behind would keep the runner from ending.
afterAll(async () => {
  await Promise.all([...running].map((end) => end()));
});
