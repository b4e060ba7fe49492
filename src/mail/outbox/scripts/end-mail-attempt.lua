-- Notes how an attempt to send an entry has ended.
-- Version 1
-- KEYS[1] the ids of the entries that wait
-- KEYS[2] the entries, as includes/outbox-entry.lua describes all keys
-- KEYS[3] the ids of the entries that were given up
-- KEYS[4] the ids of the entries that were sent
-- ARGV[1] id of the entry
-- ARGV[2] number of the attempt
-- ARGV[3] 'sent' when the entry is done, 'failed' when it is given up, else 'again'
-- ARGV[4] why it was not sent; '' if it was
-- ARGV[5] time until the next attempt, in milliseconds
-- ARGV[6] time for which the id of a sent entry is kept, in milliseconds
-- ARGV[7] lifetime of the keys, in milliseconds
-- Returns 1 when it was noted, 0 when the entry is done, or somebody else has taken it since.
-- Atomic: an attempt whose lease has ended must not change a later one. An entry that was sent is done in any case. Running it
-- twice changes only times.
--- @include "now"
--- @include "outbox-entry"
local id, now = ARGV[1], now_ms()
if ARGV[3] == 'sent' then
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('HDEL', KEYS[2], id)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - ARGV[6])
  schedule(KEYS[4], id, now, ARGV[6])
  return 1
end
local entry = read_outbox_entry(KEYS[2], id)
if not entry or entry.attempts ~= tonumber(ARGV[2]) then
  return 0
end
entry.reason = ARGV[4]
write_outbox_entry(KEYS[2], id, entry, ARGV[7])
if ARGV[3] == 'failed' then
  redis.call('ZREM', KEYS[1], id)
  schedule(KEYS[3], id, now, ARGV[7])
else
  schedule(KEYS[1], id, now + ARGV[5], ARGV[7])
end
return 1
