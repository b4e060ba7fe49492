-- Notes that a subject is about to change.
-- Version 1
-- KEYS[1] the sequence, a number that only grows
-- KEYS[2] the changes of the subject that were begun and not finished: a sorted set of their sequences by time
-- ARGV[1] how long an unfinished change is remembered, in milliseconds
-- Returns the sequence of the change.
-- Running it twice begins two changes, of which nobody finishes the first: it costs those who look an announcement.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
local sequence = string.format('%.0f', math.max(time[1] * 1000000 + time[2], before + 1))
redis.call('SET', KEYS[1], sequence, 'PX', 86400000)
redis.call('ZADD', KEYS[2], now, sequence)
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return sequence
