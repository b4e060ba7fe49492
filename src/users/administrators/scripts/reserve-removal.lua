-- Reserves the removal of an administrator: from then on no other removal relies on this administrator to remain.
-- Version 2
-- KEYS[1] candidates: a sorted set of user ids by when they were added last, in milliseconds since the epoch
-- KEYS[2] removals under way: a hash of token to 'user-id expiry', the expiry in milliseconds since the epoch
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] id of the administrator to be removed
-- ARGV[2] token of this removal
-- ARGV[3] life of the reservation, in milliseconds
-- ARGV[4] id of another administrator whom the caller knows, or ''
-- Returns {now, version of the entry of ARGV[1], {candidate, version, ...}, {token, user id, version, ...}}: the candidates
-- whom no removal concerns, the one of ARGV[4] first, and the removals whose time is over. Reserved only when there is such a
-- candidate.
-- The hash of removals runs out two hours after the last reservation: longer than any write can be late.
-- Atomic, because of two removals that rely on each other's administrator one must be refused. A removal whose time is over
-- counts until it is released: its write may still come. Running it twice changes nothing but the expiry.
--- @include "now"
--- @include "fence"
local now = now_ms()
write_fence(KEYS[3])
for _, id in ipairs({ ARGV[1], ARGV[4] }) do
  if id ~= '' and not redis.call('ZSCORE', KEYS[1], id) then
    redis.call('ZADD', KEYS[1], now, id)
  end
end
local under_way, expired = {}, {}
local removals = redis.call('HGETALL', KEYS[2])
for index = 1, #removals, 2 do
  local id, expiry = string.match(removals[index + 1], '^(%S+) (%d+)$')
  under_way[id] = true
  if tonumber(expiry) <= now then
    table.insert(expired, removals[index])
    table.insert(expired, id)
    table.insert(expired, redis.call('ZSCORE', KEYS[1], id) or '')
  end
end
local free = {}
local candidates = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for index = 1, #candidates, 2 do
  local id = candidates[index]
  if id ~= ARGV[1] and not under_way[id] then
    local at = id == ARGV[4] and 1 or #free + 1
    table.insert(free, at, id)
    table.insert(free, at + 1, candidates[index + 1])
  end
end
if #free > 0 then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[1] .. ' ' .. string.format('%.0f', now + ARGV[3]))
  redis.call('PEXPIRE', KEYS[2], 7200000)
end
return { now, redis.call('ZSCORE', KEYS[1], ARGV[1]), free, expired }
