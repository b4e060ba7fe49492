-- Reads what decides whether the tokens of a service account are accepted.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON, see includes/accounts.lua of the write side
-- KEYS[2] the mark of the deleted account
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] id of the account
-- Returns {'live', epoch, permissions, audiences, revoked tokens as a JSON object}; {'gone'} when the account is disabled or
-- was deleted; {'unknown'} when there never was such an account, or its mark has expired. It then returns false as a second
-- value: the reply must not be held, because anybody can ask for any id.
-- Writes the fence: the WAIT that follows proves that this master was not replaced. Idempotent: it writes nothing else.
--- @include "fence"
write_fence(KEYS[3])
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then
  if redis.call('EXISTS', KEYS[2]) == 1 then
    return { 'gone' }
  end
  return { 'unknown' }, false
end
local account = cjson.decode(text)
if account.disabled then
  return { 'gone' }
end
return {
  'live',
  tostring(account.epoch or 0),
  account.permissions,
  account.audiences,
  cjson.encode(account.revoked or {}),
}
