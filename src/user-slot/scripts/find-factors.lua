-- Reads the second factors of a user, and a login that waits for its second step.
-- Version 1
-- KEYS[1] the user's factors: a hash of factor id to JSON
-- KEYS[2] the pending login, as JSON
-- KEYS[3] the fence, a key that is only written
-- Returns the pending login as JSON ('' for none), the version of the factors, and factor ids, each followed by its JSON.
-- Idempotent: it writes only the fence. The WAIT that follows proves that this master was not replaced.
--- @include "fence"
--- @include "factors"
write_fence(KEYS[3])
local _, version = confirmed_types(KEYS[1])
local reply = { redis.call('GET', KEYS[2]) or '', version }
for _, one in ipairs(all_factors(KEYS[1])) do
  table.insert(reply, one.id)
  table.insert(reply, cjson.encode(one.factor))
end
return reply
