-- The key set of the cluster. It is one hash:
--   issuer                       the issuer of the tokens of this cluster
--   sessionIdleTtl               how long a session lives without use, in seconds, for services with the guard. Each instance
--                                stores its setting when it loads the key
--   current, public, private     the key that signs: its id, its public key (a JWK), its private key (encrypted)
--   createdAt, signsFrom         when this key was created, and since when it signs, in milliseconds since the epoch
--   isAdopted                    1 when createdAt is unknown: an earlier version created the key, and createdAt is the time
--                                at which a newer version found it
--   next                         a key that is published and does not sign yet. A JSON object: kid, public, private,
--                                createdAt, signsFrom
--   retired:<kid>                a key that verifies and does not sign any more. A JSON object: public, createdAt,
--                                signsFrom (if known), signsUntil; removeAt, as soon as it is known that no instance signs
--                                with it
--   withdrawn:<kid>              when this key was withdrawn. It can never return
-- Earlier versions read and write only issuer, current, public and private. They understand the key that signs.
--- @include "now"

-- Returns the later one of two clocks, in milliseconds since the epoch: of this node, and of the instance. So one wrong clock
-- can only delay what depends on a stored time.
local function later_time(instance_time)
  return math.max(now_ms(), tonumber(instance_time))
end

-- Returns the key that is published and does not sign yet, or nil.
local function published_key_of(set_key)
  local text = redis.call('HGET', set_key, 'next')
  return text and cjson.decode(text) or nil
end

-- The published key signs from now on. The caller keeps or discards the former key.
local function sign_with(set_key, key, now)
  redis.call('HSET', set_key, 'current', key.kid, 'public', key.public, 'private', key.private)
  redis.call('HSET', set_key, 'createdAt', string.format('%.0f', key.createdAt), 'signsFrom', string.format('%.0f', now))
  redis.call('HDEL', set_key, 'next', 'isAdopted')
end
