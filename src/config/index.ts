export { loadSettings } from './load-settings.js';
export { SettingsError } from './settings.error.js';
export type { Settings } from './settings.js';
