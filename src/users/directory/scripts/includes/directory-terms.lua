-- The terms of an entry of the directory, as directory-entry.lua describes them.

local function terms_of(entry, id)
  local terms = {}
  for filter in pairs(entry.filters) do
    for name in pairs(entry.keys) do
      terms[#terms + 1] = filter .. '\0' .. name .. '\0' .. id
    end
  end
  return terms
end

local function add_terms(terms_key, entry, id)
  for _, term in ipairs(terms_of(entry, id)) do
    redis.call('ZADD', terms_key, 0, term)
  end
end

-- Adds the items of a JSON list to a set.
local function add_all(set, list)
  for _, item in ipairs(cjson.decode(list)) do
    set[item] = 1
  end
end
