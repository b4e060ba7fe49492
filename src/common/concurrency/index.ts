export { forEachConcurrently } from './for-each-concurrently.js';
