export { CurrentUser } from './current-user.decorator.js';
export type { AuthenticatedUser, Principal } from './principal.js';
export { IS_PUBLIC, Public } from './public.decorator.js';
