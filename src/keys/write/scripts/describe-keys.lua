-- Reads the whole key set.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- KEYS[2] the fence, a key that is only written
-- Returns {time of this node, in milliseconds since the epoch; fields and values of the hash}. There are none when the cluster
-- has no key yet.
-- Idempotent: it writes only the fence. The WAIT that follows proves that this master was not replaced.
--- @include "fence"
--- @include "now"
write_fence(KEYS[2])
return { now_ms(), redis.call('HGETALL', KEYS[1]) }
