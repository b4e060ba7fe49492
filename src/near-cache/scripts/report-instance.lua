-- Records an instance in the registry for operators, and counts the instances.
-- Version 2
-- KEYS[1] the registry: a hash of instance to description
-- KEYS[2] the reports: a sorted set of instances by the time of their last report, in milliseconds since the epoch
-- KEYS[3] the mark that somebody watches the changes of the cluster, see watch-changes.lua
-- ARGV[1] the instance
-- ARGV[2] its description; '' removes the instance
-- ARGV[3] time without a report after which an instance is removed, in milliseconds
-- Returns {number of instances; 1 if somebody watches the changes, else 0}.
-- No decision depends on the registry. Running it twice changes nothing. Its cost does not depend on the number of instances.
--- @include "now"
local now = now_ms()
if ARGV[2] == '' then
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
else
  redis.call('ZADD', KEYS[2], now, ARGV[1])
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[3])) do
  redis.call('ZREM', KEYS[2], instance)
  redis.call('HDEL', KEYS[1], instance)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return { redis.call('ZCARD', KEYS[2]), redis.call('EXISTS', KEYS[3]) }
