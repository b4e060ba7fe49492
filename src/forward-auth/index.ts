export { ForwardAuthModule } from './forward-auth.module.js';
