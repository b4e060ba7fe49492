export { isCertificatePair } from './certificate-pair.js';
export { loadKeySettings, loadOperatorSettings, loadSettings } from './load-settings.js';
export { redisIdentityFrom } from './redis-files.js';
export { SettingsError } from './settings.error.js';
export type { KeySettings, OperatorSettings, RedisUserSettings, Settings } from './settings.js';
