export { configurableModule, type Replacement } from './configurable-module.js';
