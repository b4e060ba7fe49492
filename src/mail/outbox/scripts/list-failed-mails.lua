-- Lists the entries that were given up, the oldest first.
-- Version 1
-- KEYS[1] the ids of the entries that were given up
-- KEYS[2] the entries, as includes/outbox-entry.lua describes all keys
-- Returns id, kind, data, number of attempts, reason, and when it was given up (milliseconds since the epoch) of each entry.
--- @include "outbox-entry"
local listed = {}
local ids = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for index = 1, #ids, 2 do
  local entry = read_outbox_entry(KEYS[2], ids[index])
  if entry then
    for _, value in ipairs({ ids[index], entry.kind, entry.data, entry.attempts, entry.reason or '', ids[index + 1] }) do
      listed[#listed + 1] = value
    end
  end
end
return listed
