-- Confirms a second factor: it counts from the next login on, and the other sessions of the user end.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the user's factors: a hash of factor id to JSON
-- ARGV[1] id of the factor
-- ARGV[2] revision of the factor that was read
-- ARGV[3] new revision, unique to this call
-- ARGV[4] new state
-- ARGV[5] id of the session that asks. It stays live
-- ARGV[6] the user's name for the factor, or ''
-- ARGV[7] 1 when the user may have one factor of this type: it replaces the others of the type; 0 when it replaces only those that
--   are not confirmed
-- Returns 'changed', also for a second run of the same call; 'outdated' when another call has changed the factor since; 'unknown'
-- when there is no such factor; 'ended' when the session is not live.
-- Atomic: an ended session must not confirm a factor, and two confirmations must not leave two factors of such a type. No login
-- with the password alone may come between the first use of the factor and the end of the other sessions.
--- @include "now"
--- @include "live"
--- @include "end-sessions"
--- @include "factors"
local user = session_user(KEYS[1])
local factor = read_factor(KEYS[3], ARGV[1])
if factor and factor.revision == ARGV[3] then
  write_factor(KEYS[3], ARGV[1], factor)
  return 'changed'
end
local now = now_ms()
if not may_write(KEYS[2], ARGV[5], user, now) then
  return 'ended'
end
if not factor then
  return 'unknown'
end
if factor.revision ~= ARGV[2] then
  return 'outdated'
end
replace_factors(KEYS[3], factor.type, ARGV[7] == '1', ARGV[1])
factor.isConfirmed = true
factor.revision = ARGV[3]
factor.state = ARGV[4]
factor.name = ARGV[6]
write_factor(KEYS[3], ARGV[1], factor)
note_types(KEYS[1], KEYS[3])
end_all_sessions(KEYS[1], KEYS[2], ARGV[5], user.epoch, now)
return 'changed'
