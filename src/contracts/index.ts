export { auditSinkContract, type AuditSinkSubject } from './audit-sink.contract.js';
export { auditTrailContract, type AuditTrailSubject } from './audit-trail.contract.js';
export { InMemoryUserStore } from './in-memory-user-store.js';
export type { TestRunner } from './test-runner.js';
export { passwordHasherContract } from './password-hasher.contract.js';
export {
  secondFactorContract,
  type GivenProof,
  type SecondFactorSubject,
} from './second-factor.contract.js';
export { userDirectoryContract, type UserDirectorySubject } from './user-directory.contract.js';
export { userStoreContract } from './user-store.contract.js';
