-- Lists the instances of the registry for operators.
-- Version 1
-- KEYS[1] the registry, KEYS[2] the reports: see report-instance.lua
-- ARGV[1] time without a report after which an instance is not listed, in milliseconds
-- ARGV[2] maximum number of instances
-- Returns for each instance: its id, the time since its last report in milliseconds, its description.
--- @include "now"
local now = now_ms()
local reports = redis.call('ZRANGEBYSCORE', KEYS[2], now - ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local list = {}
for index = 1, #reports, 2 do
  local description = redis.call('HGET', KEYS[1], reports[index])
  if description then
    table.insert(list, reports[index])
    table.insert(list, now - reports[index + 1])
    table.insert(list, description)
  end
end
return list
