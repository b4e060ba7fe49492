-- Releases a name, if the user still has it.
-- Version 3
-- KEYS[1] the name, as includes/owner.lua describes it
-- ARGV[1] the user, as in the claim
-- ARGV[2] 1 to release the name also when it is confirmed, 0 to release only a claim
-- Returns 1 when it was released, else 0.
-- Atomic: a name that another user has, or that was confirmed in between, must not be released. Running it twice changes
-- nothing.
--- @include "owner"
local owner, ends_at = owner_in(redis.call('GET', KEYS[1]))
if owner == ARGV[1] and (ARGV[2] == '1' or ends_at or redis.call('PTTL', KEYS[1]) ~= -1) then
  return redis.call('DEL', KEYS[1])
end
return 0
