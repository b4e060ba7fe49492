-- Finds the changes of a subject that were begun and not finished.
-- Version 1
-- KEYS[1] the unfinished changes: a sorted set of their sequences by time
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] age from which nothing can come of a change any more that was not written, in milliseconds
-- Returns {how many there are, sequences of those that are as old}.
-- Writes the fence, so that a WAIT behind it proves that this master was not replaced.
--- @include "now"
--- @include "fence"
write_fence(KEYS[2])
return { redis.call('ZCARD', KEYS[1]), redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms() - ARGV[1]) }
