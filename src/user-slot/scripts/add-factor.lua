-- Adds a second factor to a user.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the user's factors: a hash of factor id to JSON
-- ARGV[1] id of the new factor
-- ARGV[2] the factor, as JSON without the time
-- ARGV[3] maximum number of factors
-- ARGV[4] 1 when the user may have one factor of this type: it replaces the others of the type; 0 when it replaces only those that
--   are not confirmed
-- ARGV[5] id of the session that asks. It stays live when the factor is confirmed
-- ARGV[6] 1 when the factor does not count alone: the user must have a confirmed factor of another type. Else 0
-- Returns 'changed', also when an earlier run of the same call added the factor; 'full' when the user has too many; 'ended' when the
-- session is not live; 'no-second-factor' when the user lacks the other factor.
-- Atomic: an ended session must not add a factor, and the other factor must not be removed in between. A confirmed factor counts
-- for the next login, and the other sessions end.
--- @include "now"
--- @include "live"
--- @include "end-sessions"
--- @include "factors"
local user = session_user(KEYS[1])
local now = now_ms()
local known = read_factor(KEYS[3], ARGV[1])
if known then
  write_factor(KEYS[3], ARGV[1], known)
  return 'changed'
end
if not may_write(KEYS[2], ARGV[5], user, now) then
  return 'ended'
end
local added = cjson.decode(ARGV[2])
if ARGV[6] == '1' and not has_other_type(KEYS[3], added.type) then
  return 'no-second-factor'
end
replace_factors(KEYS[3], added.type, ARGV[4] == '1', ARGV[1])
if #all_factors(KEYS[3]) >= tonumber(ARGV[3]) then
  return 'full'
end
added.createdAt = now
write_factor(KEYS[3], ARGV[1], added)
if added.isConfirmed then
  note_types(KEYS[1], KEYS[3])
  end_all_sessions(KEYS[1], KEYS[2], ARGV[5], user.epoch, now)
end
return 'changed'
