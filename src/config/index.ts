export { isCertificatePair } from './certificate-pair.js';
export { loadRedisUser, loadSettings } from './load-settings.js';
export { redisIdentityFrom } from './redis-files.js';
export { SettingsError } from './settings.error.js';
export type { RedisUserSettings, Settings } from './settings.js';
