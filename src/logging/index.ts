export { createLogger } from './logger.js';
export { NestLogger } from './nest-logger.js';
export { RequestLog } from './request-log.js';
