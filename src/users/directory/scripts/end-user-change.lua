-- Notes that a change of a user is not in progress any more.
-- Version 1
-- KEYS[1] the entries of the directory, as includes/directory-entry.lua describes them
-- ARGV[1] the id of the user
-- ARGV[2] the id of the change
-- Returns 1 when the change was noted, else 0.
-- Atomic: another change may be noted at the same time. Running it twice changes nothing.
--- @include "directory-entry"
local id, change = ARGV[1], ARGV[2]
local entry = read_entry(KEYS[1], id)
if not entry or not entry.changes[change] then
  return 0
end
entry.changes[change] = nil
entry.version = 'after ' .. change
write_entry(KEYS[1], id, entry)
return 1
