-- Asks whether one more guess at a password may be made, and reserves it until its outcome is known.
-- Version 3
-- KEYS[1] the guesses at one account: a hash. `attempt.<id>` is '<begun at> <lane>', `lane.<lane>` is '<consecutive
-- failures> <blocked until> <forgotten at>'; times in milliseconds. The lane `strangers` is for all who prove nothing
-- ARGV[1] id of the guess
-- ARGV[2] the lane of a known caller, `device.<generation>.<id>` or `session.<generation>.<id>`; '' for a stranger
-- ARGV[3] consecutive failures after which a lane is blocked
-- ARGV[4] maxDuration time that a guess can be under way, in milliseconds
-- ARGV[5] how many lanes of devices can be in use, and how many lanes of sessions
-- Returns {wait, isKnown}: wait is 0 when the guess may be made, -1 when the outcome of others has to be awaited, else the
-- milliseconds until the block ends; isKnown is 1 when it counts in the caller's own lane.
-- A device that has used up its failures counts as a stranger; a session is blocked. A caller for whom no lane is left counts
-- as a stranger too, so that many proofs do not multiply the guesses. Devices and sessions are counted apart, so that the
-- lanes of old device cookies never take the lane of a live session. Lanes of another generation count for nothing, and
-- those of older ones are removed: their proofs have ended, such as by a new password.
-- Atomic, because 200 guesses at once must not all find room. Time is Redis' own: one clock for all instances.
-- Running it twice changes nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free, maxDuration, maxLanes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local lanes, underWay, own = {}, {}, nil
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
      underWay[lane] = (underWay[lane] or 0) + 1
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
if kind and not lanes[lane] and not underWay[lane] then
  local failed, begun = 0, 0
  for name in pairs(lanes) do
    failed = failed + (string.sub(name, 1, #kind) == kind and 1 or 0)
  end
  for name in pairs(underWay) do
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
-- After the first block each failure begins another one, so guesses come one at a time.
if (underWay[lane] or 0) >= math.max(1, free - state.failures) then
  return { -1, isKnown }
end
redis.call('HSET', KEYS[1], 'attempt.' .. ARGV[1], string.format('%d %s', now, lane))
if redis.call('PTTL', KEYS[1]) < maxDuration then
  redis.call('PEXPIRE', KEYS[1], maxDuration)
end
return { 0, isKnown }
