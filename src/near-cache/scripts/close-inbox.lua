-- Closes the inbox of an instance that holds nothing any more, so that no later change waits for it.
-- Version 1
-- KEYS[1] the inbox: see renew-inbox.lua
-- ARGV[1] from a changing instance, after the lease has ended: number of the last renewal that it knows; from the instance
-- itself, after it has emptied its memory: ''
-- Returns 1. Returns 0 when the inbox stays open because the instance has renewed its lease since, or when there is no
-- inbox.
-- Atomic: an instance that has renewed its lease must not be cut off. Running it twice changes nothing.
local inbox = redis.call('HMGET', KEYS[1], 'renewal', 'sequence')
if not inbox[1] or (ARGV[1] ~= '' and inbox[1] ~= ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'closed', 1, 'silent', 1)
if ARGV[1] == '' then
  redis.call('HSET', KEYS[1], 'position', inbox[2] or 0)
end
return 1
