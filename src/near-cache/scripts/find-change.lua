-- Finds whether a change of a subject was begun and not finished.
-- Version 1
-- KEYS[1] the changes under way: a sorted set of subjects by sequence
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] the subject
-- Returns the sequence of the change, or '' when there is none.
-- Writes the fence, so that a WAIT behind it proves that this master was not replaced.
redis.call('SET', KEYS[2], '', 'PX', 1000)
return redis.call('ZSCORE', KEYS[1], ARGV[1]) or ''
