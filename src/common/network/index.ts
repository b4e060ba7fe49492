export { networkOf, normalAddress, siteOf } from './network-address.js';
