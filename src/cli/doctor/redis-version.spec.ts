import { lacksLuaFixes } from './redis-version.js';

describe('the version of Redis (100)', () => {
  it.each(['6.2.20', '7.0.15', '7.2.10', '7.4.5', '8.0.3', '8.1.0', '8.2.1'])(
    '%s lacks the Lua security fixes',
    (version) => expect(lacksLuaFixes(version)).toBe(true),
  );

  it.each(['7.2.11', '7.4.6', '7.4.10', '8.0.4', '8.2.2', '8.3.0', '8.10.0', '9.0.0'])(
    '%s has the Lua security fixes',
    (version) => expect(lacksLuaFixes(version)).toBe(false),
  );
});
