-- Removes retired keys whose last tokens have expired.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- ARGV[1], ARGV[2], ... ids of the keys
-- Returns 1. Running it twice changes nothing.
for _, kid in ipairs(ARGV) do
  redis.call('HDEL', KEYS[1], 'retired:' .. kid)
end
return 1
