-- Adds events to the index of a user or service account.
-- Version 1
-- KEYS[1] the index, as includes/trail-index.lua describes it
-- ARGV[1] the retention, in milliseconds
-- ARGV[2] the maximum number of entries
-- ARGV[3] the first entry, and after it the other ones
-- Returns 1.
-- Atomic, so that the index always expires. Running it twice adds nothing.
--- @include "now"
--- @include "trail-index"
for index = 3, #ARGV do
  redis.call('ZADD', KEYS[1], 0, ARGV[index])
end
remove_entries(KEYS[1], surplus_entries(KEYS[1], ARGV[1], tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
