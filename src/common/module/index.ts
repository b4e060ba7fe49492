export { configurableModule } from './configurable-module.js';
