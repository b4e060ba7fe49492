-- The terms of an entry of the directory, as directory-entry.lua describes them.

local function term_of(filter, name, id)
  return filter .. '\0' .. name .. '\0' .. id
end

-- Adds a filter or a key to an entry, with its terms. `kind` is 'filters' or 'keys'.
local function add_to_entry(terms_key, entry, id, kind, name, change)
  if not entry[kind][name] then
    for other in pairs(kind == 'filters' and entry.keys or entry.filters) do
      local term = kind == 'filters' and term_of(name, other, id) or term_of(other, name, id)
      redis.call('ZADD', terms_key, 0, term)
    end
  end
  entry[kind][name] = change
end

-- Removes a filter or a key from an entry, with its terms.
local function remove_from_entry(terms_key, entry, id, kind, name)
  entry[kind][name] = nil
  for other in pairs(kind == 'filters' and entry.keys or entry.filters) do
    local term = kind == 'filters' and term_of(name, other, id) or term_of(other, name, id)
    redis.call('ZREM', terms_key, term)
  end
end
