-- Reserves a guess at a password until its result is known, if the limit allows one more.
-- Version 3
-- KEYS[1] the guesses at one account: a hash. `attempt.<id>` is '<begun at> <lane>', `lane.<lane>` is '<consecutive
-- failures> <blocked until> <forgotten at>'; times in milliseconds. Callers without a proof share the lane `strangers`
-- ARGV[1] id of the guess
-- ARGV[2] the lane of a known caller, `device.<generation>.<id>` or `session.<generation>.<id>`; '' for a stranger
-- ARGV[3] consecutive failures after which a lane is blocked
-- ARGV[4] time after which a reservation expires, in milliseconds
-- ARGV[5] maximum number of lanes of devices, and of lanes of sessions
-- Returns {wait, isKnown}: wait is 0 when the guess may be made, -1 when the results of guesses in progress must be awaited,
-- else the milliseconds until the block ends; isKnown is 1 when the guess counts in the caller's own lane.
-- A device that has used up its failures counts as a stranger; a session is blocked. A caller without a free lane also counts
-- as a stranger, so that many proofs do not multiply the guesses. Devices and sessions have separate limits, so that old
-- device cookies cannot take the lane of a live session. Lanes of an older generation are removed: their proofs are no longer
-- valid, for example after a password change.
-- Atomic: concurrent guesses must not exceed the limit. The time is that of Redis: one clock for all instances.
-- Running it twice changes nothing.
--- @include "now"
local now = now_ms()
local free, maxDuration, maxLanes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local lanes, inProgress, own = {}, {}, nil
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  local kind, name = string.match(fields[index], '^(%a+)%.(.+)$')
  local value = fields[index + 1]
  if kind == 'lane' then
    local failures, blockedUntil, forgottenAt = string.match(value, '^(%d+) (%d+) (%d+)$')
    if tonumber(forgottenAt) > now then
      lanes[name] = { failures = tonumber(failures), blockedUntil = tonumber(blockedUntil) }
    else
      redis.call('HDEL', KEYS[1], fields[index])
    end
  else
    local begunAt, lane = string.match(value, '^(%d+) (.+)$')
    if tonumber(begunAt) + maxDuration > now then
      inProgress[lane] = (inProgress[lane] or 0) + 1
      own = name == ARGV[1] and lane or own
    else
      redis.call('HDEL', KEYS[1], fields[index])
    end
  end
end
if own then
  return { 0, own == 'strangers' and 0 or 1 }
end

local lane = ARGV[2]
local kind, generation = string.match(lane, '^(%a+%.(%d+)%.)')
for name in pairs(lanes) do
  local other = string.match(name, '^%a+%.(%d+)%.')
  if kind and other and tonumber(other) < tonumber(generation) then
    redis.call('HDEL', KEYS[1], 'lane.' .. name)
  end
end
if kind and not lanes[lane] and not inProgress[lane] then
  local failed, begun = 0, 0
  for name in pairs(lanes) do
    failed = failed + (string.sub(name, 1, #kind) == kind and 1 or 0)
  end
  for name in pairs(inProgress) do
    begun = begun + (string.sub(name, 1, #kind) == kind and not lanes[name] and 1 or 0)
  end
  if failed >= maxLanes then
    lane = ''
  elseif failed + begun >= maxLanes then
    return { -1, 1 }
  end
end
local isDevice = string.sub(lane, 1, 7) == 'device.'
if lane == '' or (isDevice and lanes[lane] and lanes[lane].failures >= free) then
  lane = 'strangers'
end
local isKnown = lane == 'strangers' and 0 or 1

local state = lanes[lane] or { failures = 0, blockedUntil = 0 }
if state.blockedUntil > now then
  return { state.blockedUntil - now, isKnown }
end
-- After the first block, each failure begins another one. So only one guess at a time is allowed.
if (inProgress[lane] or 0) >= math.max(1, free - state.failures) then
  return { -1, isKnown }
end
redis.call('HSET', KEYS[1], 'attempt.' .. ARGV[1], string.format('%d %s', now, lane))
if redis.call('PTTL', KEYS[1]) < maxDuration then
  redis.call('PEXPIRE', KEYS[1], maxDuration)
end
return { 0, isKnown }
