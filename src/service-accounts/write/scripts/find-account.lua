-- Reads a service account and its credentials.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the credentials: a hash of id to JSON
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] id of the account
-- Returns {the account, its credentials}. Returns {} when there is no such account, and false as a second value: the reply must
-- not be held, because anybody can ask for any id.
-- Atomic: account and credentials belong together. Idempotent: it writes only the fence. The WAIT that follows proves that this
-- master was not replaced.
--- @include "fence"
write_fence(KEYS[3])
local account = redis.call('HGET', KEYS[1], ARGV[1])
if not account then
  return {}, false
end
return { account, redis.call('HGET', KEYS[2], ARGV[1]) or '' }
