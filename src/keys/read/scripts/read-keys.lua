-- Reads the public keys of the cluster.
-- Version 3
-- KEYS[1] the key set: a hash, see write/scripts/includes/key-set.lua
-- KEYS[2] the fence, a key that is only written
-- Returns {issuer, idle lifetime of sessions in seconds or '', key id, public key (a JWK), key id, public key, ...}: first the key
-- that signs, then the published key, then the retired keys in the order of their ids. Returns an empty list when the cluster
-- has no key yet.
-- Atomic: the keys must belong together. Idempotent: it writes only the fence. The WAIT that follows proves that this master
-- was not replaced.
--- @include "fence"

write_fence(KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {}
end
local set = redis.call('HMGET', KEYS[1], 'issuer', 'current', 'public', 'next', 'sessionIdleTtl')
local reply = { set[1], set[5] or '', set[2], set[3] }
if set[4] then
  local published = cjson.decode(set[4])
  table.insert(reply, published.kid)
  table.insert(reply, published.public)
end
local retired = {}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local kid = string.match(all[index], '^retired:(.+)$')
  if kid then
    table.insert(retired, { kid = kid, public = cjson.decode(all[index + 1]).public })
  end
end
table.sort(retired, function(one, other)
  return one.kid < other.kid
end)
for _, key in ipairs(retired) do
  table.insert(reply, key.kid)
  table.insert(reply, key.public)
end
return reply
