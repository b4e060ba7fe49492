-- Deletes a service account. A mark remains for a while, so that a late write cannot bring it back.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the names: a hash of the digest of a name to the id of its account
-- KEYS[3] the credentials: a hash of id to JSON
-- KEYS[4] the mark of the deleted account
-- ARGV[1] number of this change; the numbers of an account only increase
-- ARGV[2] id of the account
-- ARGV[3] what the caller may grant: a JSON list of permissions; '' for everything
-- ARGV[4] lifetime of the mark, in milliseconds
-- Returns {'done'}; {'repeated'} for an earlier run of the same change; {'overtaken'} when a change with a higher number was
-- written first; {'unknown'}; {'beyond', permission} when the account has this permission, and the caller may not grant it.
-- Atomic: the account must not change between the check and the write. Idempotent by the number of the change.
--- @include "accounts"
if redis.call('GET', KEYS[4]) == ARGV[1] then
  return { 'repeated' }
end
local account = read_account(KEYS[1], ARGV[2])
local refusal = refusal_of(account, ARGV[1], ARGV[3])
if refusal then
  return refusal
end
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], account.nameDigest)
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('SET', KEYS[4], ARGV[1], 'PX', ARGV[4])
return { 'done' }
