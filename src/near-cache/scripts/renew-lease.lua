-- Renews the lease of a member, or lets an instance join with empty memory.
-- Version 1
-- KEYS[1] the members: a hash of instance to "<position> <length of its lease in milliseconds> <number of its renewal>"
-- KEYS[2] the sequence, a number that only grows
-- KEYS[3] the log: a sorted set of subjects by the sequence of their last change
-- ARGV[1] the instance
-- ARGV[2] length of its lease, in milliseconds
-- ARGV[3] number of this renewal; each instance counts its own
-- ARGV[4] position up to which the instance has applied the log, or '' to join with empty memory
-- ARGV[5] retention of the log, in milliseconds
-- ARGV[6] maximum number of changes to return; an instance that missed more joins with empty memory
-- Returns {0, new position, members and values, subjects that changed since the old position}; or
-- {1, new position, members and values, {}} when the instance has joined and must empty its memory.
-- Atomic: no change may come between reading the log and moving the position.
-- Idempotent: a second run of the same renewal stores the same note. A run that arrives after the next renewal stores
-- nothing, because it could store a position that the instance has not reached, and a position counts as an acknowledgement.
-- The sequence follows the clock in microseconds, so it also gives the age of a position. It never decreases.
local before = tonumber(redis.call('GET', KEYS[2]) or 0)
local time = redis.call('TIME')
local sequence = string.format('%.0f', math.max(time[1] * 1000000 + time[2], before + 1))
redis.call('SET', KEYS[2], sequence, 'PX', 86400000)

local note = redis.call('HGET', KEYS[1], ARGV[1])
local noted_position, noted_number = string.match(note or '', '^(%d+) %d+ (%d+)$')
local number = tonumber(ARGV[3])
if noted_number and tonumber(noted_number) > number then
  return { 1, sequence, {}, {} }
end

local position = tonumber(ARGV[4])
local changes = {}
local has_joined = 1
-- A position ahead of the sequence means that a failover has lost the end of the log.
if position and note and position <= before and position >= tonumber(sequence) - ARGV[5] * 1000 then
  local since = string.format('(%.0f', position)
  if redis.call('ZCOUNT', KEYS[3], since, '+inf') <= tonumber(ARGV[6]) then
    changes = redis.call('ZRANGEBYSCORE', KEYS[3], since, '+inf')
    has_joined = 0
  end
end
local applied = ARGV[4]
if has_joined == 1 and position then
  -- The instance may answer from its old memory until it receives this reply. So it has acknowledged nothing yet.
  applied = '0'
elseif has_joined == 1 then
  if noted_number and tonumber(noted_number) == number then
    sequence = noted_position
  end
  applied = sequence
end
redis.call('HSET', KEYS[1], ARGV[1], applied .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], 86400000)
return { has_joined, sequence, redis.call('HGETALL', KEYS[1]), changes }
