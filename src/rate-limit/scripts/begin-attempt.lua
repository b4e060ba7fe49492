-- Asks whether one more attempt may be made, and reserves it until its outcome is known, or counts it as a failure at once.
-- Version 2
-- KEYS[1] failed attempts of the narrowest scope, a network: a sorted set, id by time
-- KEYS[2] attempts under way in that scope: a sorted set, id by time
-- KEYS[3], KEYS[4], ... the same of each wider scope, such as the site of the network
-- ARGV[1] id of the attempt
-- ARGV[2] 'reserve', or 'add' for an attempt that is a failure whatever comes of it
-- ARGV[3] the window, in milliseconds
-- ARGV[4] longest time that an attempt can be under way, in milliseconds
-- ARGV[5], ARGV[6], ... failures allowed within the window: one number for each scope
-- Returns a number for each scope: 0 when it has room; -1 when so many are under way that their outcome has to be awaited;
-- else the milliseconds until the oldest failure leaves the window. Only when all are 0 something was reserved or counted.
-- Atomic, because 200 attempts at once must not all find room. Time is Redis' own: one clock for all instances.
-- Running it twice changes nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, window, longest = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local is_added = ARGV[2] == 'add'
local waits, has_room = {}, true
for scope = 1, #KEYS / 2 do
  local failed_key, under_way_key = KEYS[2 * scope - 1], KEYS[2 * scope]
  local limit = tonumber(ARGV[4 + scope])
  redis.call('ZREMRANGEBYSCORE', failed_key, '-inf', now - window)
  redis.call('ZREMRANGEBYSCORE', under_way_key, '-inf', now - longest)
  waits[scope] = 0
  if not redis.call('ZSCORE', is_added and failed_key or under_way_key, id) then
    local failed = redis.call('ZCARD', failed_key)
    if failed >= limit then
      local oldest = redis.call('ZRANGE', failed_key, failed - limit, failed - limit, 'WITHSCORES')
      waits[scope] = math.max(1, oldest[2] + window - now)
    elseif failed + redis.call('ZCARD', under_way_key) >= limit then
      waits[scope] = -1
    end
  end
  has_room = has_room and waits[scope] == 0
end
if has_room then
  for scope = 1, #KEYS / 2 do
    local key = KEYS[is_added and 2 * scope - 1 or 2 * scope]
    redis.call('ZADD', key, 'NX', now, id)
    redis.call('PEXPIRE', key, is_added and window or longest)
  end
end
return waits
