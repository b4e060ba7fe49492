-- Records the use of a second factor whose proof was checked, and ends the pending login that waited for it.
-- Version 1
-- KEYS[1] the user's factors: a hash of factor id to JSON
-- KEYS[2] the pending login
-- ARGV[1] id of the factor
-- ARGV[2] revision of the factor for which the proof was checked
-- ARGV[3] new revision, unique to this call
-- ARGV[4] new state: the proof does not count again
-- ARGV[5] 1 when there must be a pending login, else 0
-- Returns {'used', version of the factors}, also for a second run of the same call; {'outdated'} when another call has changed the
-- factor since; {'unknown'} when the factor was removed, or the pending login has ended.
-- Atomic: of concurrent callers with the same proof or the same pending login, exactly one succeeds.
--- @include "now"
--- @include "factors"
local factor = read_factor(KEYS[1], ARGV[1])
if not factor or not factor.isConfirmed then
  return { 'unknown' }
end
local _, version = confirmed_types(KEYS[1])
if factor.revision == ARGV[3] then
  write_factor(KEYS[1], ARGV[1], factor)
  return { 'used', version }
end
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[2]) == 0 then
  return { 'unknown' }
end
if factor.revision ~= ARGV[2] then
  return { 'outdated' }
end
factor.revision = ARGV[3]
factor.state = ARGV[4]
factor.lastUsedAt = now_ms()
write_factor(KEYS[1], ARGV[1], factor)
redis.call('DEL', KEYS[2])
return { 'used', version }
