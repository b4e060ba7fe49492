-- The published key replaces the key that signs. The former key continues to verify. Its private half is deleted.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- ARGV[1] id of the published key. Each instance must know it already: the caller has settled the change that published it
-- ARGV[2] id of the key that it replaces
-- ARGV[3] time of the instance, in milliseconds since the epoch
-- Returns 1 when this run has replaced the key, else 0.
-- Atomic: exactly one key signs at any time. Idempotent: a later run finds another published key, or none.
--- @include "key-set"
local former = redis.call('HMGET', KEYS[1], 'current', 'public', 'createdAt', 'signsFrom')
local published = published_key_of(KEYS[1])
if former[1] ~= ARGV[2] or not published or published.kid ~= ARGV[1] then
  return 0
end
local now = later_time(ARGV[3])
local retired = { public = former[2], createdAt = tonumber(former[3] or now), signsUntil = now }
retired.signsFrom = former[4] and tonumber(former[4]) or nil
redis.call('HSET', KEYS[1], 'retired:' .. former[1], cjson.encode(retired))
sign_with(KEYS[1], published, now)
return 1
