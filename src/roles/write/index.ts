export * from './role-limits.js';
export { RoleWriter, type RoleWriteResult } from './role-writer.js';
