-- Adds a secret to a service account.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the credentials: a hash of id to JSON
-- ARGV[1] number of this change; the numbers of an account only increase
-- ARGV[2] id of the account
-- ARGV[3] id of the secret
-- ARGV[4] digest of the secret
-- ARGV[5] what the caller may grant: a JSON list of permissions; '' for everything
-- ARGV[6] maximum number of secrets of an account
-- Returns {'done', when it was created, in milliseconds since the epoch}, also for an earlier run of the same change;
-- {'overtaken'} when a change with a higher number was written first; {'unknown'}; {'beyond', permission} when the account has
-- this permission, and the caller may not grant it; {'full'} when the account has the maximum number of secrets.
-- Atomic: concurrent callers cannot exceed the maximum together. Idempotent by the number of the change.
--- @include "now"
--- @include "accounts"
local account = read_account(KEYS[1], ARGV[2])
local refusal = refusal_of(account, ARGV[1], ARGV[5])
local credentials = read_credentials(KEYS[2], ARGV[2])
if refusal and refusal[1] == 'repeated' then
  return { 'done', credentials.secrets[ARGV[3]].createdAt }
end
if refusal then
  return refusal
end
if count_of(credentials.secrets) >= tonumber(ARGV[6]) then
  return { 'full' }
end
local now = now_ms()
credentials.secrets[ARGV[3]] = { hash = ARGV[4], createdAt = now }
store_credentials(KEYS[2], ARGV[2], credentials)
account.updatedAt = now
account.change = ARGV[1]
store_account(KEYS[1], ARGV[2], account)
return { 'done', now }
