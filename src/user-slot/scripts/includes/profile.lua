-- Reads a user without the password hash.

-- Returns the fields and values of a user; an empty list for none.
local function profile_of(user_key)
  local fields = redis.call('HGETALL', user_key)
  local profile = {}
  for index = 1, #fields, 2 do
    if fields[index] == 'deleted' and fields[index + 1] == '1' then
      return {}
    end
    if fields[index] ~= 'passwordHash' then
      profile[#profile + 1] = fields[index]
      profile[#profile + 1] = fields[index + 1]
    end
  end
  return profile
end
