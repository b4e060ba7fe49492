-- Gives a claimed name to its user permanently.
-- Version 2
-- KEYS[1] the name, as includes/owner.lua describes it
-- ARGV[1] the user, as in the claim
-- Returns 1, or 0 when another user has the name.
-- Atomic: the owner must not change between look and write. Running it twice changes nothing.
--- @include "owner"
local owner = owner_in(redis.call('GET', KEYS[1]))
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
