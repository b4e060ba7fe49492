-- Registers an instance as a holder of a subject and reads the subject, in one step.
-- Version 1
-- KEYS[1] the directory of the subject
-- Further keys: those of the read script
-- ARGV[1] the instance
-- ARGV[2] length of its lease, in milliseconds
-- ARGV[3] lifetime of the registration, in milliseconds: longer than the instance may hold the subject. It never shortens an
--   earlier registration: the instance may also hold another part of the subject, for longer
-- ARGV[4], ARGV[5], ... the arguments of the read script
-- Returns {1, reply of the read script}. Returns {0, reply} when the read script returned false as a second value: the reply
-- must not be held, and the instance was not registered. If there is no read script, the script only registers the instance.
-- Atomic: no change may come between the registration and the read. Running it twice changes nothing. A late run registers
-- an instance that may hold nothing. This costs the next change one post.
--- @include "now"
--- @include "directory"
local function read(KEYS, ARGV)
--- @script
end
local MAX_UNSWEPT_FIELDS = 64

local reply, may_be_held = read({ unpack(KEYS, 2) }, { unpack(ARGV, 4) })
if may_be_held == false then
  return { 0, reply }
end
local now = now_ms()
local field = 'holder:' .. ARGV[1]
local earlier = redis.call('HGET', KEYS[1], field)
local expires_at = math.max(now + ARGV[3], earlier and expiry_of(earlier) or 0)
redis.call('HSET', KEYS[1], field, string.format('%s %.0f', ARGV[2], expires_at))
keep_directory(KEYS[1], tonumber(ARGV[3]))
if redis.call('HLEN', KEYS[1]) > MAX_UNSWEPT_FIELDS then
  read_directory(KEYS[1], now)
end
return { 1, reply }
