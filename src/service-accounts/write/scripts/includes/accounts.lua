-- Service accounts. A hash has a field for each account: its id, with the account as JSON (StoredAccount in
-- read/accounts-slot.ts). Another hash has the credentials of each account (StoredCredentials).

-- Returns the account with this id; nil when there is none.
local function read_account(accounts_key, id)
  local text = redis.call('HGET', accounts_key, id)
  return text and cjson.decode(text) or nil
end

local function store_account(accounts_key, id, account)
  redis.call('HSET', accounts_key, id, cjson.encode(account))
end

local function read_credentials(credentials_key, id)
  return cjson.decode(redis.call('HGET', credentials_key, id) or '{"secrets":{},"jwks":""}')
end

local function store_credentials(credentials_key, id, credentials)
  redis.call('HSET', credentials_key, id, cjson.encode(credentials))
end

-- Returns the first of the permissions, a text with spaces, that a caller may not grant; nil when there is none. granted is a
-- JSON list of the permissions of the caller; '' for a caller who may grant everything.
local function permission_beyond(granted, permissions)
  if granted == '' then
    return nil
  end
  local has = {}
  for _, permission in ipairs(cjson.decode(granted)) do
    has[permission] = true
  end
  for permission in string.gmatch(permissions, '%S+') do
    if not has[permission] then
      return permission
    end
  end
  return nil
end

-- Checks a change before it is made. Returns nil when it can be made, or else the reply of the script: {'unknown'};
-- {'overtaken'} when a change with a higher number was written first; {'repeated'} for a second run of the same change;
-- {'beyond', permission} when the account has this permission, and the caller may not grant it.
local function refusal_of(account, number, granted)
  if not account then
    return { 'unknown' }
  end
  local last, this = tonumber(account.change), tonumber(number)
  if this < last then
    return { 'overtaken' }
  end
  if this == last then
    return { 'repeated' }
  end
  local beyond = permission_beyond(granted, account.permissions)
  return beyond and { 'beyond', beyond } or nil
end

local function count_of(map)
  local count = 0
  for _ in pairs(map) do
    count = count + 1
  end
  return count
end
