-- Gives a name up, if it is still this user's.
-- Version 1
-- KEYS[1] the name
-- ARGV[1] id of the user
-- Returns 1 when it was released, else 0.
-- Atomic, because somebody else's name must not be released.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
