-- Tells for certain whether a user exists: run with a WAIT behind it, its write proves that this master was not replaced.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the fence, a key that is only written
-- Returns 1 or 0.
redis.call('SET', KEYS[2], '', 'PX', 1000)
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[1], 'deleted') == '1' then
  return 0
end
return 1
