-- Publishes a new key, which signs later.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- ARGV[1] key id
-- ARGV[2] its public key, a JWK
-- ARGV[3] its private key, encrypted
-- ARGV[4] id of the key that it will replace
-- ARGV[5] time of the instance, in milliseconds since the epoch
-- ARGV[6] how long the key is published before it signs, in milliseconds
-- Returns 1 when this run has published the key. Returns 0 when another key signs, another key is already published, or this
-- key was withdrawn.
-- Atomic: of many instances that publish a key at the same time, one succeeds. Idempotent: a later run finds the key, or another
-- key that signs, or the mark of its withdrawal.
--- @include "key-set"
local is_withdrawn = redis.call('HGET', KEYS[1], 'withdrawn:' .. ARGV[1])
if redis.call('HGET', KEYS[1], 'current') ~= ARGV[4] or published_key_of(KEYS[1]) or is_withdrawn then
  return 0
end
local now = later_time(ARGV[5])
local key = { kid = ARGV[1], public = ARGV[2], private = ARGV[3], createdAt = now, signsFrom = now + ARGV[6] }
redis.call('HSET', KEYS[1], 'next', cjson.encode(key))
return 1
