-- Takes users whose entries have to be checked. Other callers do not get them until the check is due again.
-- Version 1
-- KEYS[1] the entries of the directory that are due, as includes/directory-entry.lua describes them
-- ARGV[1] how many
-- ARGV[2] time until the check is due again, in milliseconds
-- Returns the ids of the users.
-- Atomic: of several callers one gets a user. Running it twice takes the next ones; the others become due again.
--- @include "now"
local now = now_ms()
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], id)
end
return ids
