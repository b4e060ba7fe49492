-- Begins a change of a subject whose data are elsewhere.
-- Version 1
-- KEYS[1] the directory of the subject
-- ARGV[1] id of the change, the same in each run
-- ARGV[2] lifetime of the directory, in milliseconds
-- Returns the number of the change. The numbers of one subject only grow.
-- A second run returns the same number. A run that comes after the note was removed begins a change that is never written.
-- Calls of settle announce it until its note is removed.
-- The new note replaces the notes of other changes that began more than a minute ago and are not known to be written. Their
-- callers have given up. The announcement of the new change reaches the same holders. So notes of failed changes do not
-- accumulate.
--- @include "now"
--- @include "directory"
local REPLACED_AFTER_MS = 60000

local now = now_ms()
local directory = read_directory(KEYS[1], now)
for id, other in pairs(directory.changes) do
  if not other.written and id ~= ARGV[1] and other.beganAt + REPLACED_AFTER_MS < now then
    redis.call('HDEL', KEYS[1], 'change:' .. id)
  end
end
local change = change_of(KEYS[1], directory, ARGV[1], now)
store_change(KEYS[1], ARGV[1], change)
keep_directory(KEYS[1], tonumber(ARGV[2]))
return change.number
