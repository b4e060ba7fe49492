-- Settles an attempt that was reserved.
-- Version 2
-- KEYS[1] failed attempts of a network: a sorted set, id by time
-- KEYS[2] attempts of the network in progress: a sorted set, id by time
-- KEYS[3] failed attempts of its site; KEYS[1] again where the network is the site
-- KEYS[4] attempts of the site in progress; KEYS[2] again where the network is the site
-- ARGV[1] id of the attempt
-- ARGV[2] 'failed' counts it; 'void' forgets it
-- ARGV[3] the window, in milliseconds
-- Returns 1.
-- Atomic: the attempt must always be in one of the two sets. Running it twice changes nothing.
--- @include "now"
local is_site = KEYS[3] == KEYS[1] and KEYS[4] == KEYS[2]
for _, failed_at in ipairs(is_site and { 1 } or { 1, 3 }) do
  if ARGV[2] == 'failed' then
    redis.call('ZADD', KEYS[failed_at], 'NX', now_ms(), ARGV[1])
    redis.call('PEXPIRE', KEYS[failed_at], ARGV[3])
  end
  redis.call('ZREM', KEYS[failed_at + 1], ARGV[1])
end
return 1
