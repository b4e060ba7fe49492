export { BoundedMap, type BoundedMapOptions } from './bounded-map.js';
