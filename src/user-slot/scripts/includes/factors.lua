-- The second factors of a user: a hash of factor id to JSON, see stored-format.ts. Three more fields are about all of them:
--   .types    the types of the confirmed factors, as a JSON list
--   .version  a number that increases with each change after which an earlier proof no longer counts
--   .removal  the id of the last removal

-- Returns a factor; nil when there is none.
local function read_factor(factors_key, factor_id)
  local text = redis.call('HGET', factors_key, factor_id)
  return text and cjson.decode(text) or nil
end

local function write_factor(factors_key, factor_id, factor)
  redis.call('HSET', factors_key, factor_id, cjson.encode(factor))
end

-- Returns a list of {id, factor}.
local function all_factors(factors_key)
  local factors = {}
  local all = redis.call('HGETALL', factors_key)
  for index = 1, #all, 2 do
    if all[index]:sub(1, 1) ~= '.' then
      table.insert(factors, { id = all[index], factor = cjson.decode(all[index + 1]) })
    end
  end
  return factors
end

-- Returns whether the user has a confirmed factor of another type.
local function has_other_type(factors_key, type_name)
  for _, one in ipairs(all_factors(factors_key)) do
    if one.factor.isConfirmed and one.factor.type ~= type_name then
      return true
    end
  end
  return false
end

-- Removes the factors that a new factor of the same type replaces: those that are not confirmed, and all if it is the only one.
local function replace_factors(factors_key, type_name, is_only, new_id)
  for _, one in ipairs(all_factors(factors_key)) do
    if one.id ~= new_id and one.factor.type == type_name and (is_only or not one.factor.isConfirmed) then
      redis.call('HDEL', factors_key, one.id)
    end
  end
end

-- Notes in the user whether there is a second factor. types is a JSON list.
local function note_second_factor(user_key, types)
  redis.call('HSET', user_key, 'secondFactor', types == '[]' and 0 or 1)
end

-- Notes which types of factors a login accepts now, and in the user whether there is one. Earlier proofs no longer count.
local function note_types(user_key, factors_key)
  local types, seen = {}, {}
  for _, one in ipairs(all_factors(factors_key)) do
    local type_name = one.factor.type
    if one.factor.isConfirmed and not seen[type_name] then
      seen[type_name] = true
      table.insert(types, type_name)
    end
  end
  table.sort(types)
  local text = #types > 0 and cjson.encode(types) or '[]'
  local version = tonumber(redis.call('HGET', factors_key, '.version') or 0)
  redis.call('HSET', factors_key, '.types', text, '.version', version + 1)
  note_second_factor(user_key, text)
end

-- Returns the methods of an authentication without those of several factors; nil for a password alone.
local function without_factors(amr)
  local kept = {}
  for _, method in ipairs(amr) do
    if method == 'pwd' then
      return nil
    elseif method ~= 'mfa' then
      table.insert(kept, method)
    end
  end
  return kept
end

-- A removed factor proves nothing any more: the next tokens of a session that stays live do not name several factors.
local function forget_factors(sessions_key, session_id)
  local text = redis.call('HGET', sessions_key, session_id)
  local session = text and cjson.decode(text)
  if not session or session.endedAt then
    return
  end
  session.amr = session.amr and without_factors(session.amr)
  for _, other in ipairs(session.otherTokens or {}) do
    other.amr = other.amr and without_factors(other.amr)
  end
  redis.call('HSET', sessions_key, session_id, cjson.encode(session))
end

-- Returns the types of the confirmed factors as a JSON list, and the version as text.
local function confirmed_types(factors_key)
  local fields = redis.call('HMGET', factors_key, '.types', '.version')
  return fields[1] or '[]', fields[2] or '0'
end
