-- Appends the change of a subject to the log, publishes it, and returns the members that must acknowledge it.
-- Version 2
-- KEYS[1] the members: a hash of instance to "<position> <length of its lease in milliseconds> <number of its renewal>"
-- KEYS[2] the sequence, a number that only grows
-- KEYS[3] the log: a sorted set of subjects by the sequence of their last change
-- KEYS[4] the channel that every instance subscribes to
-- ARGV[1] the subject
-- ARGV[2] retention of the log, in milliseconds
-- ARGV[3] the message to publish
-- Returns {sequence of the change, members and values}.
-- Atomic: an instance that joins after the members were read must also read its position after the change.
-- A second run appends and announces the change once more, which is harmless.
local time = redis.call('TIME')
local before = tonumber(redis.call('GET', KEYS[2]) or 0)
local sequence = string.format('%.0f', math.max(time[1] * 1000000 + time[2], before + 1))
redis.call('SET', KEYS[2], sequence, 'PX', 86400000)
redis.call('ZADD', KEYS[3], sequence, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('(%.0f', tonumber(sequence) - ARGV[2] * 1000))
redis.call('PEXPIRE', KEYS[3], ARGV[2])
redis.call('SPUBLISH', KEYS[4], ARGV[3])
return { sequence, redis.call('HGETALL', KEYS[1]) }
