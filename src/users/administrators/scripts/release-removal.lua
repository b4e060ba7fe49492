-- Ends the reservation of a removal, and drops the candidate when it is no administrator.
-- Version 1
-- KEYS[1] candidates: a sorted set of user ids by when they were added last, in milliseconds since the epoch
-- KEYS[2] removals under way: a hash of token to 'user-id expiry'
-- ARGV[1] token of the removal, or '' for none
-- ARGV[2] id of the candidate
-- ARGV[3] version of the entry to be dropped, or '' when the candidate stays
-- Returns 1.
-- Atomic, because a candidate that was added again since must stay. Running it twice changes nothing.
redis.call('HDEL', KEYS[2], ARGV[1])
if ARGV[3] ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[2]) == ARGV[3] then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return 1
