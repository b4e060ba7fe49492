-- Adds a user to those who may be administrators, before the user becomes one.
-- Version 1
-- KEYS[1] candidates: a sorted set of user ids by when they were added last, in milliseconds since the epoch
-- ARGV[1] id of the user
-- Returns when it was added, which is the version of this entry.
-- Atomic, because an entry that was added again must not be dropped as the older one. Running it twice adds it later.
--- @include "now"
local now = now_ms()
redis.call('ZADD', KEYS[1], now, ARGV[1])
return redis.call('ZSCORE', KEYS[1], ARGV[1])
