-- Counts a wrong proof at the second step of a login. After too many, the login ends.
-- Version 1
-- KEYS[1] the pending login, as JSON
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] maximum number of wrong proofs
-- Returns how many more wrong proofs the login allows; 0 when it has ended.
-- Atomic: concurrent wrong proofs must all count.
--- @include "fence"
write_fence(KEYS[2])
local text = redis.call('GET', KEYS[1])
if not text then
  return 0
end
local login = cjson.decode(text)
login.failures = (login.failures or 0) + 1
local left = tonumber(ARGV[1]) - login.failures
if left <= 0 then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], cjson.encode(login), 'KEEPTTL')
return left
