export {
  AccessTokenValidator,
  bearerToken,
  JwtAuthGuard,
  type BearerToken,
} from '../guard/index.js';
export { AuthModule } from './auth.module.js';
export type { AuthOptions } from './auth.options.js';
