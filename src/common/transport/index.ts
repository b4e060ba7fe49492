export type { CallRequest } from './call-request.js';
export { Handshake, handshakeOf, rememberHandshake } from './handshake.js';
export { requestOf } from './request-of.js';
