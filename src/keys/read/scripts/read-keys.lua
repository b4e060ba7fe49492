-- Reads the public half of the cluster's keys.
-- Version 1
-- KEYS[1] the key set: a hash
-- KEYS[2] the fence, a key that is only written
-- Returns {key id, public key (a JWK), issuer}, or an empty list when the cluster has no key yet.
-- Atomic: the key and its id must belong together. Idempotent: it writes only the fence. The WAIT that follows proves that
-- this master was not replaced.
--- @include "fence"

write_fence(KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {}
end
return redis.call('HMGET', KEYS[1], 'current', 'public', 'issuer')
