-- Records that holders have applied changes of a subject. A change is finished when its last holder has applied it.
-- Version 1
-- KEYS[1] the directory of the subject
-- ARGV[1] number of changes
-- ARGV[2], ARGV[3], ... ids of written changes, then the instances that have applied them
-- Returns 1.
-- Running it twice changes nothing. A late run changes nothing either: a written change gets no further holders.
--- @include "directory"
local changes = tonumber(ARGV[1])
for index = 2, changes + 1 do
  local text = redis.call('HGET', KEYS[1], 'change:' .. ARGV[index])
  if text then
    local change = cjson.decode(text)
    for _, instance in ipairs({ unpack(ARGV, changes + 2) }) do
      change.holders[instance] = nil
    end
    store_change(KEYS[1], ARGV[index], change)
  end
end
return 1
