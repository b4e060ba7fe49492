-- Adds an entry to the outbox.
-- Version 2
-- KEYS[1] the ids of the entries that wait
-- KEYS[2] the entries, as includes/outbox-entry.lua describes all keys
-- KEYS[3] the ids of the entries that were sent
-- ARGV[1] id of the entry
-- ARGV[2] its kind
-- ARGV[3] its data
-- ARGV[4] time until it is due, in milliseconds
-- ARGV[5] lifetime of the keys, in milliseconds
-- Returns 1 when the entry was added, 0 when it is known. An entry that was not taken yet becomes due earlier if ARGV[4] says so.
-- Atomic: an entry and its time belong together. Running it twice changes nothing, also after the entry was sent. Every run
-- writes, so that the WAIT that follows proves that this master was not replaced.
--- @include "now"
--- @include "outbox-entry"
local id, now = ARGV[1], now_ms()
local known = read_outbox_entry(KEYS[2], id)
if known or redis.call('ZSCORE', KEYS[3], id) then
  redis.call('PEXPIRE', KEYS[known and 2 or 3], ARGV[5])
  if known and known.attempts == 0 and now + ARGV[4] < tonumber(redis.call('ZSCORE', KEYS[1], id) or 0) then
    schedule(KEYS[1], id, now + ARGV[4], ARGV[5])
  end
  return 0
end
local entry = { kind = ARGV[2], data = ARGV[3], attempts = 0, addedAt = now }
write_outbox_entry(KEYS[2], id, entry, ARGV[5])
schedule(KEYS[1], id, now + ARGV[4], ARGV[5])
return 1
