-- Takes a change off the list of those under way, if no later one of the same subject has taken its place.
-- Version 1
-- KEYS[1] the changes under way: a sorted set of subjects by sequence
-- ARGV[1] the subject
-- ARGV[2] sequence of the change
-- Returns 1 when it was taken off, else 0.
-- Atomic, because a later change must stay on the list. Running it twice changes nothing.
local sequence = redis.call('ZSCORE', KEYS[1], ARGV[1])
if sequence and tonumber(sequence) == tonumber(ARGV[2]) then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
