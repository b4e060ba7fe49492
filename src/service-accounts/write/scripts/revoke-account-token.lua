-- Revokes one access token of a service account.
-- Version 1
-- KEYS[1] the service accounts: a hash of id to JSON
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] id of the account
-- ARGV[2] id of the token (jti)
-- ARGV[3] when the token expires, in milliseconds since the epoch
-- ARGV[4] maximum number of revoked tokens of an account. With one more, all tokens of the account are revoked instead
-- Returns 1, or 0 when there is no such account.
-- Atomic: concurrent revocations must all take effect. Running it twice changes nothing: a token of an earlier epoch is refused,
-- whether its id is stored or not.
--- @include "now"
--- @include "fence"
--- @include "accounts"
write_fence(KEYS[2])
local account = read_account(KEYS[1], ARGV[1])
if not account then
  return 0
end
local now = now_ms()
local revoked = { [ARGV[2]] = tonumber(ARGV[3]) }
for id, expiry in pairs(account.revoked or {}) do
  if expiry > now then
    revoked[id] = expiry
  end
end
if count_of(revoked) > tonumber(ARGV[4]) then
  account.epoch = (account.epoch or 0) + 1
  revoked = {}
end
account.revoked = revoked
store_account(KEYS[1], ARGV[1], account)
return 1
