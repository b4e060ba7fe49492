/** Every instance keeps all stored roles in memory. */
export const MAX_STORED_ROLES = 100;
export const MAX_PERMISSIONS_PER_ROLE = 100;
/** Access tokens contain the names of the roles of the user. */
export const ROLE_NAME_MAX_LENGTH = 64;
export const PERMISSION_MAX_LENGTH = 100;
