/** For services without Nest: the entry of `keyslot/connect`. */
export type {
  AuthenticatedUser,
  ClientPrincipal,
  Permission,
  Principal,
  UserPrincipal,
} from '../../common/authentication/index.js';
export type { AccessEnd } from '../access-watch.js';
export {
  connectKeyslot,
  type ConnectOptions,
  type Keyslot,
  type KeyslotLogger,
  type NodeRequest,
} from './connect-keyslot.js';
export { KeyslotError } from './keyslot.error.js';
export type {
  KeyslotOptions,
  ServiceIdentity,
  ServiceRedisOptions,
  ServiceTls,
} from './service.options.js';
