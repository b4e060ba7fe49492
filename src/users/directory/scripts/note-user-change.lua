-- Notes a change of a user that is about to be made: adds what the user will have, and keeps what the user has.
-- Version 1
-- KEYS[1] the terms of the directory
-- KEYS[2] its entries, as includes/directory-entry.lua describes both
-- ARGV[1] the id of the user
-- ARGV[2] the id of the change
-- ARGV[3] filters that the user will have, as a JSON list
-- ARGV[4] keys that the user will have, as a JSON list
-- Returns 1.
-- Atomic: an entry and its terms must agree. Running it twice changes only the time of the note.
--- @include "now"
--- @include "directory-entry"
--- @include "directory-terms"
local id, change = ARGV[1], ARGV[2]
local entry = read_entry(KEYS[2], id) or { changes = {}, filters = {}, keys = {} }
entry.version = change
entry.changes[change] = now_ms()
add_all(entry.filters, ARGV[3])
add_all(entry.keys, ARGV[4])
add_terms(KEYS[1], entry, id)
write_entry(KEYS[2], id, entry)
return 1
