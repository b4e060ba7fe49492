-- Users, and the marks of deleted users.

local function user_exists(user_key)
  return redis.call('EXISTS', user_key) == 1 and redis.call('HGET', user_key, 'deleted') ~= '1'
end

-- Deletes a user, with the password hash, the sessions and the one-time tokens, and the factors factors_ms later. A mark remains for
-- mark_ms, so that a late write cannot bring them back. Further arguments are fields and values of the mark.
local function delete_user(user_key, sessions_key, hash_key, uses_key, factors_key, tokens_key, mark_ms, factors_ms, ...)
  redis.call('DEL', user_key, sessions_key, hash_key, uses_key, tokens_key)
  redis.call('PEXPIRE', factors_key, factors_ms)
  redis.call('HSET', user_key, 'deleted', 1, ...)
  redis.call('PEXPIRE', user_key, mark_ms)
end

-- Returns the first role of protected that is also in roles; nil when there is none. Both are JSON lists.
local function protected_role(roles, protected)
  for _, name in ipairs(cjson.decode(protected)) do
    for _, role in ipairs(cjson.decode(roles or '[]')) do
      if role == name then
        return role
      end
    end
  end
  return nil
end
