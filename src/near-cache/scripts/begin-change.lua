-- Records that a change of a subject begins.
-- Version 1
-- KEYS[1] the sequence, a number that only grows
-- KEYS[2] the unfinished changes of the subject: a sorted set of their sequences by time
-- ARGV[1] retention of an unfinished change, in milliseconds
-- Returns the sequence of the change.
-- A second run begins a second change. The first one stays unfinished, which costs later readers one announcement.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
local sequence = string.format('%.0f', math.max(time[1] * 1000000 + time[2], before + 1))
redis.call('SET', KEYS[1], sequence, 'PX', 86400000)
redis.call('ZADD', KEYS[2], now, sequence)
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return sequence
