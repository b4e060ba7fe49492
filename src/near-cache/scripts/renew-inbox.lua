-- Renews the lease of an instance at its inbox, or opens the inbox.
-- Version 2
-- KEYS[1] the inbox: a hash of renewal, the number of the last renewal; position, up to which the instance has applied the
--   posts; sequence, the number of posts; closed, 1 when no renewal is possible any more; silent, 1 when the inbox is closed
--   and the lease has ended
-- KEYS[2] the posts: a sorted set of messages by their sequence
-- ARGV[1] number of this renewal; 1 opens the inbox
-- ARGV[2] position up to which the instance has applied the posts, from the last confirmed renewal
-- ARGV[3] lifetime of the inbox, in milliseconds
-- ARGV[4] maximum number of posts to return
-- ARGV[5] number of the last confirmed renewal; 0 if there is none
-- Returns {'renewed', sequence, messages of the posts after ARGV[2]}; {'closed'} when the instance must begin anew, with
-- empty memory and another inbox; {'late'} when a later renewal has already run: nothing was stored.
-- Atomic: no post may come between the read and the stored number. Idempotent: a second run stores the same values and
-- returns the same posts, or more. From the number, a changing instance sees whether the lease was renewed after its post.
local inbox = redis.call('HMGET', KEYS[1], 'renewal', 'sequence', 'closed')
local number, position = tonumber(ARGV[1]), tonumber(ARGV[2])
local sequence = tonumber(inbox[2] or 0)
if inbox[3] or (not inbox[1] and number > 1) then
  return { 'closed' }
end
if inbox[1] and tonumber(inbox[1]) > number then
  return { 'late' }
end
-- A failover has lost posts: the position is ahead of the sequence, or a confirmed renewal is missing.
if position > sequence or tonumber(inbox[1] or 0) < tonumber(ARGV[5]) or redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'closed', 1)
  return { 'closed' }
end
redis.call('HSET', KEYS[1], 'renewal', number, 'position', position, 'sequence', sequence)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', position)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return { 'renewed', sequence, redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. position, '+inf') }
