export {
  adopt,
  ApiProblem,
  call,
  callPublic,
  deleteAccount,
  renew,
  signOut,
  useLanguageOfApi,
  whenSessionEnds,
  type SessionEnd,
} from './client';
export { follow } from './events';
export { knownUsers, useKnownUsers } from './known-users';
export type * from './types';
export { forgetPermissions, useCan, usePermissions } from './use-can';
export { useCluster, type LiveCluster } from './use-cluster';
export { KEPT, useKept } from './use-kept';
export { usePage } from './use-page';
export { useRoleNames } from './use-role-names';
export { createPasskey, presentPasskey } from './webauthn';
