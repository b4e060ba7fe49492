-- Asks whether one more attempt may be made, and reserves it until its outcome is known.
-- Version 1
-- KEYS[1] failed attempts: a sorted set, id by time
-- KEYS[2] attempts under way: a sorted set, id by time
-- ARGV[1] id of the attempt
-- ARGV[2] failures allowed within the window
-- ARGV[3] the window, in milliseconds
-- ARGV[4] longest time that an attempt can be under way, in milliseconds
-- Returns 0 when it may be made; -1 when so many are under way that their outcome has to be awaited; else the
-- milliseconds until the oldest failure leaves the window.
-- Atomic, because 200 attempts at once must not all find room. Time is Redis' own: one clock for all instances.
-- Running it twice changes nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return 0
end
local failed = redis.call('ZCARD', KEYS[1])
if failed >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], failed - limit, failed - limit, 'WITHSCORES')
  return math.max(1, oldest[2] + window - now)
end
if failed + redis.call('ZCARD', KEYS[2]) >= limit then
  return -1
end
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 0
