export { networkOf, siteOf } from './network-address.js';
