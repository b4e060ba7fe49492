export {
  adopt,
  ApiProblem,
  call,
  callPublic,
  renew,
  signOut,
  useLanguageOfApi,
  whenSessionEnds,
} from './client';
export { follow } from './events';
export type * from './types';
export { forgetPermissions, useCan, usePermissions } from './use-can';
export { useCluster, type LiveCluster } from './use-cluster';
export { createPasskey, presentPasskey } from './webauthn';
