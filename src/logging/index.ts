export { createLogs, type Logs } from './logs.js';
export { NestLogger } from './nest-logger.js';
export { requestLogger } from './request-logger.js';
