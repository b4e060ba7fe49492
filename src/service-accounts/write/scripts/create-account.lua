-- Creates a service account.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the names: a hash of the digest of a name to the id of its account
-- KEYS[3] the credentials: a hash of id to JSON
-- KEYS[4] the mark of the account, if it was deleted
-- ARGV[1] number of this change; the numbers of an account only increase
-- ARGV[2] id of the account
-- ARGV[3] the account as JSON, without its times and the number of its change
-- ARGV[4] digest of the name
-- ARGV[5] the credentials as JSON
-- ARGV[6] what the caller may grant: a JSON list of permissions; '' for everything
-- ARGV[7] maximum number of accounts
-- Returns {'done', when it was created, in milliseconds since the epoch}, also for an earlier run of the same change; {'overtaken'} when the account was created by an earlier run
-- and has been changed or deleted since; {'beyond', permission} when the caller may not grant this permission;
-- {'name-taken'}; {'full'}.
-- Atomic: names are unique, and concurrent callers cannot exceed the maximum together. Idempotent by the number of the change:
-- a late run cannot bring a deleted account back.
--- @include "now"
--- @include "accounts"
local known = read_account(KEYS[1], ARGV[2])
if known and known.change == ARGV[1] then
  return { 'done', known.createdAt }
end
if known or redis.call('EXISTS', KEYS[4]) == 1 then
  return { 'overtaken' }
end
local account = cjson.decode(ARGV[3])
local beyond = permission_beyond(ARGV[6], account.permissions)
if beyond then
  return { 'beyond', beyond }
end
if redis.call('HGET', KEYS[2], ARGV[4]) then
  return { 'name-taken' }
end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[7]) then
  return { 'full' }
end
local now = now_ms()
local credentials = cjson.decode(ARGV[5])
for _, secret in pairs(credentials.secrets) do
  secret.createdAt = now
end
account.nameDigest = ARGV[4]
account.createdAt = now
account.updatedAt = now
account.change = ARGV[1]
store_account(KEYS[1], ARGV[2], account)
store_credentials(KEYS[3], ARGV[2], credentials)
redis.call('HSET', KEYS[2], ARGV[4], ARGV[2])
return { 'done', now }
