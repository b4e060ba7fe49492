-- Renews the lease of an instance, or makes it a member anew.
-- Version 1
-- KEYS[1] the members: a hash of instance to "<position> <length of its lease in milliseconds> <number of its renewal>"
-- KEYS[2] the sequence, a number that only grows
-- KEYS[3] the log: a sorted set of subjects by the sequence of their last change
-- ARGV[1] the instance
-- ARGV[2] length of its lease, in milliseconds
-- ARGV[3] number of this renewal, which the instance counts up
-- ARGV[4] position up to which the instance has applied the log, or '' to join with empty memory
-- ARGV[5] how long the log is kept, in milliseconds
-- ARGV[6] most changes to return; an instance that missed more joins anew
-- Returns {0, new position, members and values, subjects that changed since the old position}; or
-- {1, new position, members and values, {}} when the instance has joined and must forget all it remembers.
-- Atomic, because no change may come between reading the log and moving the position. A second run of the same renewal
-- tells nothing new about the instance, and a run that comes after the next renewal tells nothing at all: a position that
-- the instance has not reached would pass for an acknowledgement.
-- The sequence follows the clock in microseconds, so that it also tells the age of a position; it never goes back.
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
-- A position ahead of the sequence means that the log has lost its end.
if position and note and position <= before and position >= tonumber(sequence) - ARGV[5] * 1000 then
  local since = string.format('(%.0f', position)
  if redis.call('ZCOUNT', KEYS[3], since, '+inf') <= tonumber(ARGV[6]) then
    changes = redis.call('ZRANGEBYSCORE', KEYS[3], since, '+inf')
    has_joined = 0
  end
end
local applied = ARGV[4]
if has_joined == 1 and position then
  -- Until it has heard of this, the instance may go on answering from what it knew: it has applied nothing.
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
