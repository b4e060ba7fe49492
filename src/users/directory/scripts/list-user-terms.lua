-- Lists users in the order of their keys, byte by byte.
-- Version 1
-- KEYS[1] the terms of the directory, as includes/directory-entry.lua describes them
-- ARGV[1] the filter
-- ARGV[2] the prefix of the keys
-- ARGV[3] the key and the id after which the list begins, with NUL in between; '' for the first ones
-- ARGV[4] how many
-- Returns the key and the id of each user.
local start = ARGV[1] .. '\0'
local first = ARGV[3] == '' and '[' .. start .. ARGV[2] or '(' .. start .. ARGV[3]
-- No text in UTF-8 contains this byte.
local last = '(' .. start .. ARGV[2] .. '\255'
local listed = {}
for _, term in ipairs(redis.call('ZRANGE', KEYS[1], first, last, 'BYLEX', 'LIMIT', 0, ARGV[4])) do
  local key, id = string.match(string.sub(term, #start + 1), '^(.*)%z([^%z]*)$')
  listed[#listed + 1] = key
  listed[#listed + 1] = id
end
return listed
