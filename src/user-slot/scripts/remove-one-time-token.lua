-- Removes a one-time token of a user that was used, and those of its kind with the same binding, which does not fit any more.
-- Version 2
-- KEYS[1] the one-time tokens of the user, as includes/one-time-tokens.lua describes them
-- ARGV[1] kind
-- ARGV[2] digest of the token
-- Returns 1 when they were removed, else 0.
-- Atomic: a token with another binding, which has replaced them, must stay. Running it twice changes nothing.
--- @include "one-time-tokens"
local found = select_tokens(KEYS[1], ARGV[1], function(token)
  return token.hash == ARGV[2]
end)
if found[1] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 1
end
return 0
