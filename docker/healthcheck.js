// Checks whether the instance in this container is alive. It does not check Redis, because a restart would not help.
import { get } from 'node:http';

const TIMEOUT_MS = 2000;
const url = `http://127.0.0.1:${process.env.MANAGEMENT_PORT}/health/live`;

get(url, { timeout: TIMEOUT_MS }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
