export { OAuthModule } from './oauth.module.js';
export type { OAuthOptions } from './oauth.options.js';
