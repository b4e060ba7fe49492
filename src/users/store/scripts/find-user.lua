-- Reads a user. What it finds is a hint: whoever acts on it checks again in the script that writes.
-- Version 1
-- KEYS[1] the user
-- Returns the user as fields and values, or an empty list when there is none.
if redis.call('HGET', KEYS[1], 'deleted') == '1' then
  return {}
end
return redis.call('HGETALL', KEYS[1])
