-- Makes a claimed name the user's own for good.
-- Version 1
-- KEYS[1] the name
-- ARGV[1] the user, as it was claimed for
-- Returns 1, or 0 when the claim ran out and somebody else has the name now.
-- Atomic, because the owner must not change between look and write. Running it twice changes nothing.
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
