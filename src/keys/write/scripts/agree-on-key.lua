-- Makes the cluster's first signing key, or finds the one that another instance made.
-- Version 2
-- KEYS[1] the key set: a hash
-- ARGV[1] key id of the candidate
-- ARGV[2] its public key, a JWK
-- ARGV[3] its private key, encrypted
-- ARGV[4] the issuer that tokens of this cluster name
-- Returns {key id, encrypted private key, issuer} of the cluster.
-- Atomic, because instances that start together must agree on one. Idempotent: a key that exists stays as it is. Writes on
-- every path, so that a WAIT behind it proves that this master was not replaced.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'current', redis.call('HGET', KEYS[1], 'current'))
else
  redis.call('HSET', KEYS[1], 'current', ARGV[1], 'public', ARGV[2], 'private', ARGV[3], 'issuer', ARGV[4])
end
return redis.call('HMGET', KEYS[1], 'current', 'private', 'issuer')
