-- Gives a name up, if it is still this user's.
-- Version 2
-- KEYS[1] the name
-- ARGV[1] the user, as it was claimed for
-- ARGV[2] 1 to release the name also when it is the user's for good, 0 to release a claim only
-- Returns 1 when it was released, else 0.
-- Atomic, because somebody else's name must not be released, nor one that was confirmed meanwhile.
-- Running it twice changes nothing.
local is_for_good = redis.call('PTTL', KEYS[1]) == -1
if redis.call('GET', KEYS[1]) == ARGV[1] and (ARGV[2] == '1' or not is_for_good) then
  return redis.call('DEL', KEYS[1])
end
return 0
