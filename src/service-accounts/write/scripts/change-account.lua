-- Changes a service account.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the names: a hash of the digest of a name to the id of its account
-- KEYS[3] the credentials: a hash of id to JSON
-- ARGV[1] number of this change; the numbers of an account only increase
-- ARGV[2] id of the account
-- ARGV[3] the new members of the account: a JSON object
-- ARGV[4] digest of the new name; '' when the name stays
-- ARGV[5] the new public keys; '-' when they stay
-- ARGV[6] what the caller may grant: a JSON list of permissions; '' for everything
-- Returns {'done'}; {'repeated'} for an earlier run of the same change; {'overtaken'} when a change with a higher number was
-- written first; {'unknown'}; {'beyond', permission} when the account has this permission before or after the change, and the
-- caller may not grant it; {'name-taken'}.
-- Atomic: the account must not change between the check and the write. Idempotent by the number of the change.
--- @include "now"
--- @include "accounts"
local account = read_account(KEYS[1], ARGV[2])
local refusal = refusal_of(account, ARGV[1], ARGV[6])
if refusal then
  return refusal
end
local members = cjson.decode(ARGV[3])
local beyond = permission_beyond(ARGV[6], members.permissions or '')
if beyond then
  return { 'beyond', beyond }
end
if ARGV[4] ~= '' then
  local owner = redis.call('HGET', KEYS[2], ARGV[4])
  if owner and owner ~= ARGV[2] then
    return { 'name-taken' }
  end
  redis.call('HDEL', KEYS[2], account.nameDigest)
  redis.call('HSET', KEYS[2], ARGV[4], ARGV[2])
  account.nameDigest = ARGV[4]
end
if members.disabled and not account.disabled then
  -- Its tokens stay refused when it is enabled again.
  account.epoch = (account.epoch or 0) + 1
  account.revoked = nil
end
for member, value in pairs(members) do
  account[member] = value
end
if ARGV[5] ~= '-' then
  local credentials = read_credentials(KEYS[3], ARGV[2])
  credentials.jwks = ARGV[5]
  store_credentials(KEYS[3], ARGV[2], credentials)
end
account.updatedAt = now_ms()
account.change = ARGV[1]
store_account(KEYS[1], ARGV[2], account)
return { 'done' }
