-- An index of the audit trail is a sorted set. All scores are 0, so the members are in the order of their bytes. A member is an
-- entry: the id of an event (UUIDv7, which begins with the time), a dot, and the digest of the type of the event.

-- The maximum number of entries that one call removes, so that a shorter retention does not block Redis.
local MAX_REMOVED = 1000

-- Returns the beginning of the ids of events that have just reached the retention.
local function oldest_id(retention_ms)
  local ms = now_ms() - retention_ms
  return string.format('%08x-%04x', math.floor(ms / 65536), ms % 65536)
end

-- Returns entries that are older than the retention, or in excess of the maximum number; the oldest ones.
local function surplus_entries(index_key, retention_ms, max)
  local oldest = '(' .. oldest_id(retention_ms)
  local expired = redis.call('ZRANGE', index_key, '-', oldest, 'BYLEX', 'LIMIT', 0, MAX_REMOVED)
  local excess = math.min(redis.call('ZCARD', index_key) - max, MAX_REMOVED)
  return excess > #expired and redis.call('ZRANGE', index_key, 0, excess - 1) or expired
end

local function remove_entries(index_key, entries)
  if #entries > 0 then
    redis.call('ZREM', index_key, unpack(entries))
  end
end
