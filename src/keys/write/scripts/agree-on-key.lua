-- Stores the first signing key of the cluster, or returns the key that another instance has stored. Stores the idle lifetime of
-- sessions for services with the guard.
-- Version 4
-- KEYS[1] the key set: see includes/key-set.lua
-- ARGV[1] key id of the candidate
-- ARGV[2] its public key, a JWK
-- ARGV[3] its private key, encrypted
-- ARGV[4] the issuer of the tokens of this cluster
-- ARGV[5] time of the instance, in milliseconds since the epoch
-- ARGV[6] how long a session lives without use, in seconds, or '' to leave the stored value as it is
-- Returns {key id, encrypted private key, issuer} of the key that signs.
-- Atomic: instances that start at the same time must agree on one key. Idempotent: an existing key does not change. It writes
-- on every path, so that the WAIT that follows proves that this master was not replaced.
--- @include "key-set"
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'current', redis.call('HGET', KEYS[1], 'current'))
else
  local now = string.format('%.0f', later_time(ARGV[5]))
  redis.call('HSET', KEYS[1], 'current', ARGV[1], 'public', ARGV[2], 'private', ARGV[3], 'issuer', ARGV[4])
  redis.call('HSET', KEYS[1], 'createdAt', now, 'signsFrom', now)
end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'sessionIdleTtl', ARGV[6])
end
return redis.call('HMGET', KEYS[1], 'current', 'private', 'issuer')
