-- Removes a secret of a service account.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the credentials: a hash of id to JSON
-- ARGV[1] number of this change; the numbers of an account only increase
-- ARGV[2] id of the account
-- ARGV[3] id of the secret
-- ARGV[4] what the caller may grant: a JSON list of permissions; '' for everything
-- Returns {'done'}; {'repeated'} for an earlier run of the same change; {'overtaken'} when a change with a higher number was
-- written first; {'unknown'} when there is no such account or secret; {'beyond', permission} when the account has this
-- permission, and the caller may not grant it.
-- Atomic: the account must not change between the check and the write. Idempotent by the number of the change.
--- @include "now"
--- @include "accounts"
local account = read_account(KEYS[1], ARGV[2])
local refusal = refusal_of(account, ARGV[1], ARGV[4])
if refusal then
  return refusal
end
local credentials = read_credentials(KEYS[2], ARGV[2])
if not credentials.secrets[ARGV[3]] then
  return { 'unknown' }
end
credentials.secrets[ARGV[3]] = nil
store_credentials(KEYS[2], ARGV[2], credentials)
account.updatedAt = now_ms()
account.change = ARGV[1]
store_account(KEYS[1], ARGV[2], account)
return { 'done' }
