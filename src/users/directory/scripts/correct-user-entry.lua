-- Makes the entry of a user agree with the user's record, which was read after the entry.
-- Version 1
-- KEYS[1] the terms of the directory
-- KEYS[2] its entries, as includes/directory-entry.lua describes both
-- ARGV[1] the id of the user
-- ARGV[2] the version of the entry that was read, '' when there was none
-- ARGV[3] the new version
-- ARGV[4] time after which a noted change is not in progress any more, in milliseconds
-- ARGV[5] the filters of the user, as a JSON list; '' when there is no user
-- ARGV[6] the keys of the user, as a JSON list
-- Returns 1, or 0 when the entry has changed since, or a change of the user may be in progress: the record may be older.
-- Atomic: no change may be noted between look and write. Running it twice changes nothing.
--- @include "now"
--- @include "directory-entry"
--- @include "directory-terms"
local id = ARGV[1]
local entry = read_entry(KEYS[2], id)
if entry and entry.version == ARGV[3] then
  return 1
end
if (entry and entry.version or '') ~= ARGV[2] then
  return 0
end
local oldest = now_ms() - ARGV[4]
for _, noted_at in pairs(entry and entry.changes or {}) do
  if noted_at > oldest then
    return 0
  end
end
for _, term in ipairs(entry and terms_of(entry, id) or {}) do
  redis.call('ZREM', KEYS[1], term)
end
if ARGV[5] == '' then
  redis.call('HDEL', KEYS[2], id)
  return 1
end
local correct = { version = ARGV[3], changes = {}, filters = {}, keys = {} }
add_all(correct.filters, ARGV[5])
add_all(correct.keys, ARGV[6])
add_terms(KEYS[1], correct, id)
write_entry(KEYS[2], id, correct)
return 1
