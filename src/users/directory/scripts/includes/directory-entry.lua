-- The entry of a user in the directory, in the hash `entries` under the user's id. It is JSON:
--   version  changes with each write of the entry
--   changes  the changes of the user that may be in progress, and when each was noted, in milliseconds
--   filters  the lists that contain the user: all, disabled, role.<name>
--   keys     the keys by which the user is found: n:<folded user name>, e:<folded e-mail address>
-- The sorted set `terms` contains <filter> NUL <key> NUL <id> for each filter and each key, all with score 0.
local function read_entry(key, id)
  local text = redis.call('HGET', key, id)
  return text and cjson.decode(text) or nil
end

local function write_entry(key, id, entry)
  redis.call('HSET', key, id, cjson.encode(entry))
end

local function terms_of(entry, id)
  local terms = {}
  for filter in pairs(entry.filters) do
    for name in pairs(entry.keys) do
      terms[#terms + 1] = filter .. '\0' .. name .. '\0' .. id
    end
  end
  return terms
end

local function add_terms(key, entry, id)
  for _, term in ipairs(terms_of(entry, id)) do
    redis.call('ZADD', key, 0, term)
  end
end

local function add_all(set, list)
  for _, item in ipairs(cjson.decode(list)) do
    set[item] = 1
  end
end
