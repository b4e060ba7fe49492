-- Reads the version of the entry of a user.
-- Version 1
-- KEYS[1] the entries of the directory, as includes/directory-entry.lua describes them
-- ARGV[1] the id of the user
-- Returns the version, '' when there is no entry.
--- @include "directory-entry"
local entry = read_entry(KEYS[1], ARGV[1])
return entry and entry.version or ''
