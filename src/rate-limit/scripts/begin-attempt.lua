-- Reserves an attempt until its result is known, or counts it as a failure at once, if the limits allow one more.
-- Version 2
-- KEYS[1] failed attempts of a network: a sorted set, id by time
-- KEYS[2] attempts of the network in progress: a sorted set, id by time
-- KEYS[3] failed attempts of its site, all networks together; KEYS[1] again where the network is the site
-- KEYS[4] attempts of the site in progress; KEYS[2] again where the network is the site
-- ARGV[1] id of the attempt
-- ARGV[2] 'reserve', or 'add' to count a failure at once
-- ARGV[3] the window, in milliseconds
-- ARGV[4] time after which a reservation expires, in milliseconds
-- ARGV[5] failures allowed to a network within the window
-- ARGV[6] failures allowed to a site within the window
-- Returns {network, site}: 0 when the limit allows one more; -1 when the results of attempts in progress must be awaited; else
-- the milliseconds until the oldest failure leaves the window. The attempt is reserved or counted only when both are 0.
-- Atomic: concurrent attempts must not exceed the limit. The time is that of Redis: one clock for all instances.
-- Running it twice changes nothing.
--- @include "now"
local now = now_ms()
local window, max_duration = tonumber(ARGV[3]), tonumber(ARGV[4])
local is_site = KEYS[3] == KEYS[1] and KEYS[4] == KEYS[2]
-- The index in KEYS of the failed attempts of each scope. The next key has the attempts in progress.
local scopes = is_site and { 1 } or { 1, 3 }
local offset = ARGV[2] == 'add' and 0 or 1

local waits, has_room = { 0, 0 }, true
for index, failed_at in ipairs(scopes) do
  local limit = tonumber(ARGV[4 + index])
  redis.call('ZREMRANGEBYSCORE', KEYS[failed_at], '-inf', now - window)
  redis.call('ZREMRANGEBYSCORE', KEYS[failed_at + 1], '-inf', now - max_duration)
  if not redis.call('ZSCORE', KEYS[failed_at + offset], ARGV[1]) then
    local failed = redis.call('ZCARD', KEYS[failed_at])
    if failed >= limit then
      local oldest = redis.call('ZRANGE', KEYS[failed_at], failed - limit, failed - limit, 'WITHSCORES')
      waits[index] = math.max(1, oldest[2] + window - now)
    elseif failed + redis.call('ZCARD', KEYS[failed_at + 1]) >= limit then
      waits[index] = -1
    end
  end
  has_room = has_room and waits[index] == 0
end
if has_room then
  for _, failed_at in ipairs(scopes) do
    redis.call('ZADD', KEYS[failed_at + offset], 'NX', now, ARGV[1])
    redis.call('PEXPIRE', KEYS[failed_at + offset], offset == 0 and window or max_duration)
  end
end
return waits
