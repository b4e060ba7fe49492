-- Posts a message to the inbox of an instance and publishes it.
-- Version 1
-- KEYS[1] the inbox: see renew-inbox.lua
-- KEYS[2] the posts: a sorted set of messages by their sequence
-- KEYS[3] the channel that the instance subscribes to
-- ARGV[1] the message
-- ARGV[2] lifetime of the inbox, in milliseconds
-- Returns {1} when the lease of the instance has ended, so it holds nothing. Else returns {0, sequence of the post, number
-- of the last renewal}.
-- If the inbox does not exist, the script creates it closed: its instance may still have its lease, and must not renew it.
-- Atomic: a renewal must come before or after the post. A second run posts the message again, which is harmless.
-- Writes in each run: the WAIT that follows proves that this master was not replaced. On a replaced master, an inbox can be
-- closed that is still open on the new master.
local inbox = redis.call('HMGET', KEYS[1], 'renewal', 'sequence', 'silent')
if inbox[3] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 1 }
end
if not inbox[1] then
  redis.call('HSET', KEYS[1], 'renewal', 0, 'closed', 1)
end
local sequence = tonumber(inbox[2] or 0) + 1
redis.call('HSET', KEYS[1], 'sequence', sequence)
redis.call('ZADD', KEYS[2], sequence, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('SPUBLISH', KEYS[3], ARGV[1])
return { 0, sequence, tonumber(inbox[1] or 0) }
