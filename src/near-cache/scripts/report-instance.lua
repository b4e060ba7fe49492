-- Records an instance in the registry for operators, and counts the instances.
-- Version 1
-- KEYS[1] the registry: a hash of instance to "<when it reported last, in milliseconds since the epoch> <description>"
-- ARGV[1] the instance
-- ARGV[2] its description; '' removes the instance
-- ARGV[3] time without a report after which an instance is removed, in milliseconds
-- Returns the number of instances. The list itself would make the traffic grow with the square of their number.
-- No decision depends on the registry. Running it twice changes nothing.
--- @include "now"
local now = now_ms()
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now, ARGV[2]))
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local all = redis.call('HGETALL', KEYS[1])
local count = 0
for index = 1, #all, 2 do
  if tonumber(string.match(all[index + 1], '^%d+')) + ARGV[3] < now then
    redis.call('HDEL', KEYS[1], all[index])
  else
    count = count + 1
  end
end
return count
