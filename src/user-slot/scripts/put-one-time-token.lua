-- Stores a one-time token of a user. It replaces those of its kind that are bound to something else. The others stay valid, so that a
-- request of a stranger does not end the link of the user.
-- Version 2
-- KEYS[1] the one-time tokens of the user, as includes/one-time-tokens.lua describes them
-- ARGV[1] kind
-- ARGV[2] digest of the token
-- ARGV[3] what the token is bound to
-- ARGV[4] lifetime, in milliseconds
-- ARGV[5] maximum number of tokens of a kind; the oldest goes
-- Returns 1.
-- Atomic: the key must not expire before its last token. Running it twice changes only when the token expires.
--- @include "now"
--- @include "one-time-tokens"
local now = now_ms()
local kept = select_tokens(KEYS[1], ARGV[1], function(token)
  return token.hash ~= ARGV[2] and token.binding == ARGV[3] and token.expiresAt > now
end)
while #kept >= tonumber(ARGV[5]) do
  table.remove(kept, 1)
end
table.insert(kept, { hash = ARGV[2], binding = ARGV[3], expiresAt = now + ARGV[4] })
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(kept))
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), ARGV[4]))
return 1
