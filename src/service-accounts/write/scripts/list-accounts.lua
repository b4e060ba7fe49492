-- Reads all service accounts.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the credentials: a hash of id to JSON
-- KEYS[3] the fence, a key that is only written
-- Returns {ids and accounts, ids and credentials}, each as a list of fields and values.
-- Atomic: accounts and credentials belong together. Idempotent: it writes only the fence. The WAIT that follows proves that this
-- master was not replaced.
--- @include "fence"
write_fence(KEYS[3])
return { redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]) }
