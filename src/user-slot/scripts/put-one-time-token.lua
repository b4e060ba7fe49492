-- Stores a one-time token of a user. It replaces the former one of its kind.
-- Version 1
-- KEYS[1] the one-time tokens of the user: a hash of kind to JSON
-- ARGV[1] kind
-- ARGV[2] digest of the token
-- ARGV[3] what the token is bound to
-- ARGV[4] lifetime, in milliseconds
-- Returns 1.
-- Atomic: the key must not expire before its last token. Running it twice changes only when the token expires.
--- @include "now"
local token = { hash = ARGV[2], binding = ARGV[3], expiresAt = now_ms() + ARGV[4] }
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(token))
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), ARGV[4]))
return 1
