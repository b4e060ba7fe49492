export { isRenderedOnce, renderedOnce } from './rendered-once.js';
