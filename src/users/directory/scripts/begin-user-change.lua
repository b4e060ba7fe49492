-- Notes a change of a user that is about to be made: adds what the user will have, and keeps what the user has.
-- Version 1
-- KEYS[1] the terms of the directory
-- KEYS[2] its entries, as includes/directory-entry.lua describes all three
-- KEYS[3] the entries that are due
-- ARGV[1] the id of the user
-- ARGV[2] the id of the change
-- ARGV[3] filters that the user will have, as a JSON list
-- ARGV[4] keys that the user will have, as a JSON list
-- ARGV[5] time until the entry is checked, in milliseconds
-- Returns 1.
-- Atomic: an entry and its terms must agree. Running it twice changes only times. If it arrives after the end of the change, the check
-- removes it again. An entry has a limited number of changes, so that no script takes long.
--- @include "now"
--- @include "directory-entry"
--- @include "directory-terms"
--- @include "directory-changes"
local id, change = ARGV[1], ARGV[2]
local now = now_ms()
local entry = read_entry(KEYS[2], id)
local noted = { at = now, filters = cjson.decode(ARGV[3]), keys = cjson.decode(ARGV[4]) }
if not entry.changes[change] then
  join_changes(entry)
end
entry.changes[change] = noted
for _, kind in ipairs({ 'filters', 'keys' }) do
  for _, name in ipairs(noted[kind]) do
    add_to_entry(KEYS[1], entry, id, kind, name, change)
  end
end
write_entry(KEYS[2], id, entry)
redis.call('ZADD', KEYS[3], now + ARGV[5], id)
return 1
