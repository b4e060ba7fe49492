-- Changes a subject, and returns the holders that must apply the change.
-- Version 1
-- KEYS[1] the directory of the subject
-- Further keys: those of the write script
-- ARGV[1] id of the change, the same in each run
-- ARGV[2] lifetime of the directory, in milliseconds
-- ARGV[3] position of the argument of the write script that is replaced by the number of the change; 0 for none
-- ARGV[4], ARGV[5], ... the arguments of the write script
-- Returns {holders of this and of all unfinished changes, each followed by the length of its lease; ids of those changes;
-- reply of the write script}. If there is no write script, the caller has written the change elsewhere, after
-- begin-change.lua.
-- Atomic: an instance that registers later reads the new state. The script moves the holders and does not copy them: a
-- holder that applies the change and registers again must stay registered. It also returns the holders of the other
-- unfinished changes, because they may hold a state from before both changes.
-- Idempotent if the write script is idempotent: a second run has the same number. It moves no holders. The caller may
-- already have the reply of the first run, and would not know the holders that the second run moves. It returns the holders
-- of all changes that are still unfinished.
--- @include "now"
--- @include "directory"
local function write(KEYS, ARGV)
--- @script
end

local now = now_ms()
local directory = read_directory(KEYS[1], now)
local change = change_of(KEYS[1], directory, ARGV[1], now)
local args = { unpack(ARGV, 4) }
if tonumber(ARGV[3]) > 0 then
  args[tonumber(ARGV[3])] = change.number
end
-- Stored before the write: if the write script fails, the change stays unfinished.
store_change(KEYS[1], ARGV[1], change)
keep_directory(KEYS[1], tonumber(ARGV[2]))
local reply = write({ unpack(KEYS, 2) }, args)

if not change.written then
  change.written = true
  change.holders = directory.holders
  store_change(KEYS[1], ARGV[1], change)
  for instance in pairs(directory.holders) do
    redis.call('HDEL', KEYS[1], 'holder:' .. instance)
  end
end
local holders, changes = {}, {}
for id, unfinished in pairs(directory.changes) do
  if unfinished.written and not is_finished(unfinished) then
    add_holders(holders, unfinished.holders)
    table.insert(changes, id)
  end
end
return { holder_list(holders), changes, reply }
