export * from './role-limits.js';
export { RoleWriter, type GrantLimit, type RoleWriteResult } from './role-writer.js';
