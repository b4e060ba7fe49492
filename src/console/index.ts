export { ConsoleModule } from './console.module.js';
export { hasConsolePage, serveConsole } from './serve-console.js';
