-- Records that holders have applied changes of a subject. The last holder finishes a change.
-- Version 1
-- KEYS[1] the directory of the subject
-- ARGV[1] number of changes
-- ARGV[2], ARGV[3], ... ids of the changes, then the instances that have applied them
-- Returns the number of changes that are finished now.
-- Running it twice changes nothing.
--- @include "directory"
local changes = tonumber(ARGV[1])
local finished = 0
for index = 2, changes + 1 do
  local text = redis.call('HGET', KEYS[1], 'change:' .. ARGV[index])
  if text then
    local change = cjson.decode(text)
    for _, instance in ipairs({ unpack(ARGV, changes + 2) }) do
      change.holders[instance] = nil
    end
    if change.written then
      store_change(KEYS[1], ARGV[index], change)
    else
      -- Its caller has given up. If the caller takes the holders all the same, the change begins again.
      redis.call('HDEL', KEYS[1], 'change:' .. ARGV[index])
    end
    finished = finished + ((not change.written or is_finished(change)) and 1 or 0)
  end
end
return finished
