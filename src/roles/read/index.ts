/** The read side, for guards. It imports nothing from the write side. */
export { RoleReader } from './role-reader.js';
export { ROLE_FIELD, rolesKey, ROLES_SUBJECT, type StoredRole } from './roles-slot.js';
