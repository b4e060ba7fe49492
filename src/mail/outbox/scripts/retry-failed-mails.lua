-- Makes all entries that were given up due again.
-- Version 1
-- KEYS[1] the ids of the entries that wait
-- KEYS[2] the entries, as includes/outbox-entry.lua describes all keys
-- KEYS[3] the ids of the entries that were given up
-- ARGV[1] lifetime of the keys, in milliseconds
-- Returns how many.
-- Atomic: an entry is in one of the lists. Running it twice changes nothing.
--- @include "now"
--- @include "outbox-entry"
local now, count = now_ms(), 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local entry = read_outbox_entry(KEYS[2], id)
  if entry then
    entry.attempts = 0
    write_outbox_entry(KEYS[2], id, entry, ARGV[1])
    schedule(KEYS[1], id, now, ARGV[1])
    count = count + 1
  end
  redis.call('ZREM', KEYS[3], id)
end
return count
