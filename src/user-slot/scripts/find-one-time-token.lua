-- Finds a one-time token of a user. It does not spend the token: the change for which the token is valid makes it invalid.
-- Version 2
-- KEYS[1] the one-time tokens of the user, as includes/one-time-tokens.lua describes them
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] digest of the token
-- ARGV[2], ARGV[3], ... the kinds to look for
-- Returns {kind, binding} of the token; an empty list when there is no such token, or it has expired.
-- Idempotent: it writes only the fence. The WAIT that follows proves that this master was not replaced.
--- @include "now"
--- @include "fence"
--- @include "one-time-tokens"
write_fence(KEYS[2])
local now = now_ms()
for index = 2, #ARGV do
  local found = select_tokens(KEYS[1], ARGV[index], function(token)
    return token.hash == ARGV[1] and token.expiresAt > now
  end)
  if found[1] then
    return { ARGV[index], found[1].binding }
  end
end
return {}
