-- Lists what the entry of a user has, apart from what a change in progress may give the user.
-- Version 1
-- KEYS[1] the entries of the directory, as includes/directory-entry.lua describes them
-- ARGV[1] the id of the user
-- ARGV[2] time after which a change is not in progress any more, in milliseconds
-- Returns kind, name and change of each filter and key. The kind is 'filters' or 'keys'.
--- @include "now"
--- @include "directory-entry"
--- @include "directory-changes"
local entry = read_entry(KEYS[1], ARGV[1])
forget_old_changes(entry, tonumber(ARGV[2]), now_ms())
local listed = {}
for _, kind in ipairs({ 'filters', 'keys' }) do
  for name, change in pairs(entry[kind]) do
    if not is_expected(entry, kind, name) then
      listed[#listed + 1] = kind
      listed[#listed + 1] = name
      listed[#listed + 1] = change
    end
  end
end
return listed
