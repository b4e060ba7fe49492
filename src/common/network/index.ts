export { networkOf } from './network-address.js';
