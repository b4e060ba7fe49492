-- Records events of one type in one partition of the audit trail.
-- Version 1
-- KEYS[1] the events of the type: a hash of entry to JSON
-- KEYS[2] the index of the type, as includes/trail-index.lua describes it
-- KEYS[3] the index of all types
-- ARGV[1] the retention, in milliseconds
-- ARGV[2] the maximum number of events of the type
-- ARGV[3] the entry of the first event, and after it its JSON, then those of the other events
-- Returns 1.
-- Atomic, because what an index lists must exist. Every key expires when nothing was added for the retention. Running it twice
-- adds nothing.
--- @include "now"
--- @include "trail-index"
for index = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[index])
  redis.call('ZADD', KEYS[3], 0, ARGV[index])
end
local surplus = surplus_entries(KEYS[2], ARGV[1], tonumber(ARGV[2]))
remove_entries(KEYS[2], surplus)
remove_entries(KEYS[3], surplus)
if #surplus > 0 then
  redis.call('HDEL', KEYS[1], unpack(surplus))
end
-- Entries of types that were not recorded since.
remove_entries(KEYS[3], surplus_entries(KEYS[3], ARGV[1], math.huge))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[1])
return 1
