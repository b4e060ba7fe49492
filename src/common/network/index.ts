export { networkOf, normalAddress, siteOf } from './network-address.js';
export { parseNode, type NodeAddress } from './node-address.js';
