-- The entry of a user in the directory, in the hash `entries` under the user's id. It is JSON:
--   filters  the lists that contain the user (all, disabled, role.<name>), each with the id of the change that noted it last
--   keys     the keys by which the user is found (n:<folded user name>, e:<folded e-mail address>), likewise
--   changes  the changes of the user that may be in progress, by id: `at`, the time of the note in milliseconds, and the lists
--            `filters` and `keys` that the user will have. Many changes are joined to one, with the id 'joined'
-- The sorted set `terms` contains <filter> NUL <key> NUL <id> for each filter and each key, all with score 0.
-- The sorted set `due` contains the ids of the users whose entries have to be checked, with the time of the check.

local function read_entry(entries_key, id)
  local text = redis.call('HGET', entries_key, id)
  return text and cjson.decode(text) or { filters = {}, keys = {}, changes = {} }
end

-- Writes an entry, or removes one without contents.
local function write_entry(entries_key, id, entry)
  if next(entry.filters) or next(entry.keys) or next(entry.changes) then
    redis.call('HSET', entries_key, id, cjson.encode(entry))
  else
    redis.call('HDEL', entries_key, id)
  end
end
