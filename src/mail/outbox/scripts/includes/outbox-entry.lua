-- The entries of the outbox, in the hash `entries` under their ids. An entry is JSON:
--   kind      what is to be sent
--   data      the data of the entry, as JSON text that only the composer of this kind reads
--   attempts  how often it was taken
--   addedAt   when it was added, in milliseconds since the epoch
--   reason    why the last attempt failed, if it did
-- The sorted set `due` contains the ids of the entries that wait, with the time of the next attempt. The sorted set `failed`
-- contains the ids of those that were given up, with the time. The sorted set `sent` contains the ids of the last ones that were
-- sent, with the time, so that a late write cannot add them again.

local function read_outbox_entry(entries_key, id)
  local text = redis.call('HGET', entries_key, id)
  return text and cjson.decode(text) or nil
end

local function write_outbox_entry(entries_key, id, entry, ttl)
  redis.call('HSET', entries_key, id, cjson.encode(entry))
  redis.call('PEXPIRE', entries_key, ttl)
end

-- Adds an id to one of the sorted sets.
local function schedule(set_key, id, at, ttl)
  redis.call('ZADD', set_key, at, id)
  redis.call('PEXPIRE', set_key, ttl)
end
