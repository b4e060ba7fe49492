-- Stores a role, or deletes a stored role.
-- Version 2
-- KEYS[1] the stored roles: a hash of 'role:<name>' to JSON, with the list permissions; lastChange, the number of the last
--   change
-- ARGV[1] number of this change; the numbers only increase
-- ARGV[2] name of the role
-- ARGV[3] the new value of the role, as JSON; '' deletes the role
-- ARGV[4] what the caller may grant: a JSON object with the list permissions, or with the list roles, and perhaps the list scope,
--   which limits what these roles grant; '' for everything
-- ARGV[5] the roles of the code, which apply while no role with their name is stored: a JSON object of name to permissions
-- ARGV[6] maximum number of stored roles
-- ARGV[7] the new value if the stored role requires a second factor: a change that does not name this rule keeps it. Else as ARGV[3]
-- Returns {'changed'}, also for an earlier run of the same change; {'overtaken'} when a change with a higher number was
-- written first; {'unknown'} when the role to be deleted is not stored; {'beyond', permission} when the role grants this
-- permission before or after the change, and the caller lacks it; {'full'} when there are ARGV[6] other stored roles.
-- Atomic: the permissions of the caller and of the role must not change between the check and the write. Idempotent by the
-- number of the change: a late run changes nothing.
local function permissions_of(name, of_code)
  local stored = redis.call('HGET', KEYS[1], 'role:' .. name)
  return stored and cjson.decode(stored).permissions or of_code[name] or {}
end

local last = tonumber(redis.call('HGET', KEYS[1], 'lastChange') or 0)
local this = tonumber(ARGV[1])
if this < last then
  return { 'overtaken' }
end
if this == last then
  return { 'changed' }
end
local field = 'role:' .. ARGV[2]
local stored = redis.call('HGET', KEYS[1], field)
if ARGV[3] == '' and not stored then
  return { 'unknown' }
end

if ARGV[4] ~= '' then
  local of_code = cjson.decode(ARGV[5])
  local granted = {}
  local limit = cjson.decode(ARGV[4])
  for _, permission in ipairs(limit.permissions or {}) do
    granted[permission] = true
  end
  for _, role in ipairs(limit.roles or {}) do
    for _, permission in ipairs(permissions_of(role, of_code)) do
      granted[permission] = true
    end
  end
  if limit.scope then
    local within = {}
    for _, permission in ipairs(limit.scope) do
      within[permission] = granted[permission]
    end
    granted = within
  end
  local before = permissions_of(ARGV[2], of_code)
  local after = ARGV[3] == '' and (of_code[ARGV[2]] or {}) or cjson.decode(ARGV[3]).permissions
  for _, permissions in ipairs({ before, after }) do
    for _, permission in ipairs(permissions) do
      if not granted[permission] then
        return { 'beyond', permission }
      end
    end
  end
end

if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], field)
else
  -- One field is the number of the last change.
  if not stored and redis.call('HLEN', KEYS[1]) - 1 >= tonumber(ARGV[6]) then
    return { 'full' }
  end
  local is_required = stored and cjson.decode(stored).requireSecondFactor
  redis.call('HSET', KEYS[1], field, is_required and ARGV[7] or ARGV[3])
end
redis.call('HSET', KEYS[1], 'lastChange', ARGV[1])
return { 'changed' }
