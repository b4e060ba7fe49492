-- Lists entries of an index of the audit trail, the newest first.
-- Version 1
-- KEYS[1] the index, as includes/trail-index.lua describes it
-- ARGV[1] the retention, in milliseconds
-- ARGV[2] the entry before which the list begins; '' for the newest ones
-- ARGV[3] the digest of the type of the events; '' for all types
-- ARGV[4] the maximum number of listed entries
-- ARGV[5] the maximum number of entries to examine
-- Returns the last entry that was examined when there may be older ones, else ''; then the entries.
--- @include "now"
--- @include "trail-index"
local newest = ARGV[2] == '' and '+' or '(' .. ARGV[2]
local oldest = '[' .. oldest_id(ARGV[1])
local found = redis.call('ZRANGE', KEYS[1], newest, oldest, 'BYLEX', 'REV', 'LIMIT', 0, ARGV[5])
local listed = { #found < tonumber(ARGV[5]) and '' or found[#found] }
for _, entry in ipairs(found) do
  if ARGV[3] == '' or string.sub(entry, -#ARGV[3]) == ARGV[3] then
    listed[#listed + 1] = entry
    if #listed > tonumber(ARGV[4]) then
      listed[1] = entry
      break
    end
  end
end
return listed
