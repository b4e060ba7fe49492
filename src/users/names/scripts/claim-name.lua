-- Claims a user name for a registration, for a limited time.
-- Version 1
-- KEYS[1] the name
-- ARGV[1] who wants it: the id of a user, marked when it is for the skeleton of a name
-- ARGV[2] life of the claim, in milliseconds
-- ARGV[3] an owner for good who is known to exist no more and may be replaced, or ''
-- Returns an empty list when the name is claimed; else its owner as in ARGV[1], and 1 when it is the owner's for good.
-- Atomic, because of N claims at once exactly one may win. Running it twice changes nothing but the life of the claim; a
-- run so late that the name was confirmed meanwhile changes nothing at all.
local owner = redis.call('GET', KEYS[1])
local is_for_good = redis.call('PTTL', KEYS[1]) == -1
if owner == ARGV[1] and is_for_good then
  redis.call('SET', KEYS[1], owner)
  return {}
end
if owner and owner ~= ARGV[1] then
  if not is_for_good or owner ~= ARGV[3] then
    return { owner, is_for_good and 1 or 0 }
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {}
