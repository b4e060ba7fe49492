-- Notes that a change of a user is not in progress any more.
-- Version 1
-- KEYS[1] the entries of the directory, as includes/directory-entry.lua describes them
-- KEYS[2] the entries that are due
-- ARGV[1] the id of the user
-- ARGV[2] the id of the change
-- ARGV[3] 1 if the entry has nothing but what the user has, so that it need not be checked; else 0
-- Returns 1 when the change was noted, else 0.
-- Atomic: another change may be noted at the same time. Running it twice changes nothing.
--- @include "directory-entry"
local id, change = ARGV[1], ARGV[2]
local entry = read_entry(KEYS[1], id)
if not entry.changes[change] then
  return 0
end
entry.changes[change] = nil
write_entry(KEYS[1], id, entry)
if ARGV[3] == '1' and not next(entry.changes) then
  redis.call('ZREM', KEYS[2], id)
end
return 1
