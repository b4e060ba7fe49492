-- Marks the assertion of a client as used. Each can be used once.
-- Version 1
-- KEYS[1] the mark of the assertion: the id of the call that used it
-- ARGV[1] id of this call, the same in each run
-- ARGV[2] time until the assertion has expired, in milliseconds
-- Returns 1 when this call uses the assertion, now or in an earlier run; 0 when another call has used it.
-- Atomic: of concurrent callers, exactly one wins. Idempotent by the id of the call. Every outcome writes, so that the WAIT that
-- follows proves that this master was not replaced.
local used_by = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], used_by, 'PX', ARGV[2])
return used_by == ARGV[1] and 1 or 0
