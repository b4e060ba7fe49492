-- Finds a one-time token of a user. It does not spend the token: the change for which the token is valid makes it invalid.
-- Version 1
-- KEYS[1] the one-time tokens of the user: a hash of kind to JSON
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] digest of the token
-- ARGV[2], ARGV[3], ... the kinds to look for
-- Returns {kind, binding} of the token; an empty list when there is no such token, or it has expired.
-- Idempotent: it writes only the fence. The WAIT that follows proves that this master was not replaced.
--- @include "now"
--- @include "fence"
write_fence(KEYS[2])
for index = 2, #ARGV do
  local text = redis.call('HGET', KEYS[1], ARGV[index])
  local token = text and cjson.decode(text)
  if token and token.hash == ARGV[1] and token.expiresAt > now_ms() then
    return { ARGV[index], token.binding }
  end
end
return {}
