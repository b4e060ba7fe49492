-- Takes entries that are due. Other callers do not get them until the lease has ended. Forgets old entries that were given up.
-- Version 1
-- KEYS[1] the ids of the entries that wait
-- KEYS[2] the entries, as includes/outbox-entry.lua describes all keys
-- KEYS[3] the ids of the entries that were given up
-- ARGV[1] how many
-- ARGV[2] length of the lease, in milliseconds
-- ARGV[3] time after which an entry that was given up is forgotten, in milliseconds
-- ARGV[4] lifetime of the keys, in milliseconds
-- Returns how many entries wait, how many were given up, then id, kind, data and number of the attempt of each entry that was taken.
-- Atomic: of several callers one gets an entry. Running it twice takes the next ones; the others become due again.
--- @include "now"
--- @include "outbox-entry"
local now = now_ms()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[3])) do
  redis.call('ZREM', KEYS[3], id)
  redis.call('HDEL', KEYS[2], id)
end
local taken = { redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[3]) }
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local entry = read_outbox_entry(KEYS[2], id)
  if entry then
    entry.attempts = entry.attempts + 1
    write_outbox_entry(KEYS[2], id, entry, ARGV[4])
    schedule(KEYS[1], id, now + ARGV[2], ARGV[4])
    for _, value in ipairs({ id, entry.kind, entry.data, entry.attempts }) do
      taken[#taken + 1] = value
    end
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return taken
