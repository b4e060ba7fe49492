-- Finds the unfinished changes of a subject, and the holders that may not have applied them.
-- Version 1
-- KEYS[1] the directory of the subject
-- KEYS[2] the fence, a key that is only written
-- Returns {number of unfinished changes; holders, each followed by the length of its lease; ids of the written changes,
-- which are finished when these holders have applied them}. A change that is not known to be written may have been written,
-- or may be written later. For it, the script returns the holders in the directory. It does not return its id, so it stays
-- unfinished.
-- Writes the fence: the WAIT that follows proves that this master was not replaced.
--- @include "now"
--- @include "fence"
--- @include "directory"
write_fence(KEYS[2])
local now = now_ms()
local directory = read_directory(KEYS[1], now)
local count, holders, changes = 0, {}, {}
for id, change in pairs(directory.changes) do
  if not is_finished(change) then
    count = count + 1
    add_holders(holders, change.written and change.holders or directory.holders)
    if change.written then
      table.insert(changes, id)
    end
  end
end
return { count, holder_list(holders), changes }
