-- Settles a guess that was reserved.
-- Version 1
-- KEYS[1] the guesses at one account: a hash, as begin-guess.lua describes it
-- ARGV[1] id of the guess
-- ARGV[2] 'failed' counts it; 'void' forgets it; 'reset' forgets it and the failures of its lane
-- ARGV[3] consecutive failures after which the lane is blocked
-- ARGV[4] the first block, in milliseconds; each further failure doubles it
-- ARGV[5] maximum length of such a block, in milliseconds
-- ARGV[6] number of consecutive failures from which each failure blocks for ARGV[7] milliseconds
-- ARGV[7] see ARGV[6]
-- ARGV[8] n failures are remembered for n times this time, in milliseconds; n is at most ARGV[6]
-- Returns 1, or 0 when the guess is already settled or its reservation has expired.
-- Atomic: the guess must always be in one of the two counts. Running it twice changes nothing, because the first run removes
-- the reservation.
--- @include "now"
local field = 'attempt.' .. ARGV[1]
local attempt = redis.call('HGET', KEYS[1], field)
if not attempt then
  return 0
end
local lane = 'lane.' .. string.match(attempt, '^%d+ (.+)$')
if ARGV[2] == 'failed' then
  local free, ceiling = tonumber(ARGV[3]), tonumber(ARGV[6])
  local now = now_ms()
  local failures, forgottenAt = string.match(redis.call('HGET', KEYS[1], lane) or '', '^(%d+) %d+ (%d+)$')
  failures = (forgottenAt and tonumber(forgottenAt) > now) and failures + 1 or 1
  local block = 0
  if failures >= ceiling then
    block = tonumber(ARGV[7])
  elseif failures >= free then
    block = math.min(tonumber(ARGV[5]), ARGV[4] * 2 ^ (failures - free))
  end
  local life = math.max(block, ARGV[8] * math.min(failures, ceiling))
  redis.call('HSET', KEYS[1], lane, string.format('%d %d %d', failures, now + block, now + life))
  if redis.call('PTTL', KEYS[1]) < life then
    redis.call('PEXPIRE', KEYS[1], life)
  end
elseif ARGV[2] == 'reset' then
  redis.call('HDEL', KEYS[1], lane)
end
redis.call('HDEL', KEYS[1], field)
return 1
