/** Every instance keeps all stored roles in memory. */
export const MAX_STORED_ROLES = 100;
/** Access tokens contain the names of the roles of the user. */
export const ROLE_NAME_MAX_LENGTH = 64;
