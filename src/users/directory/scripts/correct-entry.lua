-- Makes the entry of a user agree with the user's record, which was read after the entry (list-entry.lua).
-- Version 1
-- KEYS[1] the terms of the directory
-- KEYS[2] its entries, as includes/directory-entry.lua describes all three
-- KEYS[3] the entries that are due
-- ARGV[1] the id of the user
-- ARGV[2] what the entry had and the record does not have, as a JSON list: kind, name and change of each filter and key
-- ARGV[3] what the record has and the entry did not have, as a JSON list: kind and name of each filter and key
-- ARGV[4] the id of this correction
-- ARGV[5] time after which a change is not in progress any more, in milliseconds
-- ARGV[6] time until the entry is checked again if it may still be wrong, in milliseconds
-- Returns 1 when the entry agrees with the record, else 0.
-- Atomic: what another change has noted since must stay. Running it twice changes nothing.
--- @include "now"
--- @include "directory-entry"
--- @include "directory-terms"
--- @include "directory-changes"
local id, now = ARGV[1], now_ms()
local entry = read_entry(KEYS[2], id)
local oldest = forget_old_changes(entry, tonumber(ARGV[5]), now)
local is_certain = true
local surplus = cjson.decode(ARGV[2])
for index = 1, #surplus, 3 do
  local kind, name, change = surplus[index], surplus[index + 1], surplus[index + 2]
  if entry[kind][name] == change and not is_expected(entry, kind, name) then
    remove_from_entry(KEYS[1], entry, id, kind, name)
  elseif entry[kind][name] then
    is_certain = false
  end
end
local missing = cjson.decode(ARGV[3])
for index = 1, #missing, 2 do
  -- The user may have been deleted since, so the entry is checked once more.
  is_certain = false
  add_to_entry(KEYS[1], entry, id, missing[index], missing[index + 1], ARGV[4])
end
write_entry(KEYS[2], id, entry)
if not is_certain then
  redis.call('ZADD', KEYS[3], now + ARGV[6], id)
elseif oldest then
  redis.call('ZADD', KEYS[3], oldest + ARGV[5], id)
else
  redis.call('ZREM', KEYS[3], id)
end
return is_certain and not oldest and 1 or 0
