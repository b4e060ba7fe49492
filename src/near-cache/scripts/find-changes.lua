-- Finds the unfinished changes of a subject: begun, and not known to be announced.
-- Version 1
-- KEYS[1] the unfinished changes: a sorted set of their sequences by time
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] age after which the write of a change can no longer arrive, in milliseconds
-- Returns {number of unfinished changes, sequences of those older than ARGV[1]}.
-- Writes the fence: the WAIT that follows proves that this master was not replaced.
--- @include "now"
--- @include "fence"
write_fence(KEYS[2])
return { redis.call('ZCARD', KEYS[1]), redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms() - ARGV[1]) }
