-- Removes changes from the list of unfinished changes.
-- Version 1
-- KEYS[1] the unfinished changes: a sorted set of their sequences by time
-- ARGV[1], ARGV[2], ... sequences of changes
-- Returns how many were removed. Running it twice changes nothing.
return redis.call('ZREM', KEYS[1], unpack(ARGV))
