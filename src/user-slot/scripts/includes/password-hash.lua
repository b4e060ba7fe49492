-- The password hash of a user. It has a key of its own, so that the Redis user of a service can read users without it. Earlier
-- versions store it in the user. A hash there is the newest, because storing a hash in its own key removes it there.

local function password_hash(user_key, hash_key)
  return redis.call('HGET', user_key, 'passwordHash') or redis.call('GET', hash_key)
end

-- The lifetime of the key does not change.
local function store_password_hash(user_key, hash_key, hash)
  redis.call('SET', hash_key, hash, 'KEEPTTL')
  redis.call('HDEL', user_key, 'passwordHash')
end

-- Returns the fields and values of a user. Of two values of passwordHash, the last one counts.
local function user_with_hash(user_key, hash_key)
  return { 'passwordHash', redis.call('GET', hash_key) or '', unpack(redis.call('HGETALL', user_key)) }
end
