-- Removes a one-time token of a user, unless another one has replaced it.
-- Version 1
-- KEYS[1] the one-time tokens of the user: a hash of kind to JSON
-- ARGV[1] kind
-- ARGV[2] digest of the token
-- Returns 1 when it was removed, else 0.
-- Atomic: a new token of the same kind must stay. Running it twice changes nothing.
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text and cjson.decode(text).hash == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 1
end
return 0
