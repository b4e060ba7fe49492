export { RoleReader } from './read/index.js';
export {
  RoleAdministration,
  type RoleChange,
  type RoleChangeOutcome,
  type RoleDeletionOutcome,
  type RoleRefusal,
} from './role-administration.js';
export { RolesModule } from './roles.module.js';
