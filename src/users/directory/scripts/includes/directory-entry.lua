-- The entry of a user in the directory, in the hash `entries` under the user's id. It is JSON:
--   version  changes with each write of the entry
--   changes  the changes of the user that may be in progress, and when each was noted, in milliseconds
--   filters  the lists that contain the user: all, disabled, role.<name>
--   keys     the keys by which the user is found: n:<folded user name>, e:<folded e-mail address>
-- The sorted set `terms` contains <filter> NUL <key> NUL <id> for each filter and each key, all with score 0.
local function read_entry(entries_key, id)
  local text = redis.call('HGET', entries_key, id)
  return text and cjson.decode(text) or nil
end

local function write_entry(entries_key, id, entry)
  redis.call('HSET', entries_key, id, cjson.encode(entry))
end
