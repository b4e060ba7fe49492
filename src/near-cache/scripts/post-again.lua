-- Asks whether an instance has applied a post. If not, publishes the message again, because a published message can be lost.
-- Version 1
-- KEYS[1] the inbox: see renew-inbox.lua
-- KEYS[2] the channel that the instance subscribes to
-- ARGV[1] the message
-- ARGV[2] sequence of the post
-- Returns 1 when the instance has applied the post, else 0.
-- A replaced master may return an old position. That is safe, because positions only grow.
local position = tonumber(redis.call('HGET', KEYS[1], 'position') or 0)
if position >= tonumber(ARGV[2]) then
  return 1
end
redis.call('SPUBLISH', KEYS[2], ARGV[1])
return 0
