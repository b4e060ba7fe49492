-- The directory of a subject: which instances may hold the subject in memory, and the changes that some of them may not have
-- applied yet. It is one hash in the slot of the subject:
--   number             number of the last change; it only grows
--   holder:<instance>  "<length of its lease, in milliseconds> <when its registration expires, in milliseconds since the epoch>"
--   change:<id>        a JSON object: number; beganAt; written, whether the change is known to be written; holders, the
--                      instances that may not have applied it yet, with values as above
-- A change is unfinished until it is written and has no holders. A finished change stays for a minute, so that a late second
-- run of its script gets the same number.

local FINISHED_CHANGE_TTL_MS = 60000
-- A change that is not known to be written is removed after this time. Its caller has crashed, or its write has failed. No
-- write is late by this much.
local UNWRITTEN_CHANGE_TTL_MS = 3600000
-- How far the number of the last change may be ahead of the clock, in microseconds: an hour. Clocks of nodes differ by less.
local MAX_NUMBER_AHEAD = 3600000000

local function is_finished(change)
  return change.written and next(change.holders) == nil
end

-- Returns when a registration expires. A value of another form counts as expired. Services can write directories: nothing that
-- one of them writes may make a script fail, or make a change have no effect.
local function expiry_of(holder)
  return type(holder) == 'string' and tonumber(string.match(holder, '^%d+ (%d+)$')) or 0
end

local function has_expired(holder, now)
  return expiry_of(holder) < now
end

-- Returns a change, or nil for a value of another form.
local function parse_change(text)
  local is_json, change = pcall(cjson.decode, text)
  if is_json and type(change) == 'table' and type(change.holders) == 'table' and type(change.beganAt) == 'number' then
    return change
  end
  return nil
end

-- Returns the number of the last change. A number that no clock can have given is ignored: adding 1 to it would not change it.
local function parse_number(text, now)
  local number = tonumber(text)
  return number and number <= now * 1000 + MAX_NUMBER_AHEAD and number or 0
end

-- Returns the directory, without the registrations and changes that have expired. Also removes the expired ones from Redis.
local function read_directory(directory_key, now)
  local directory = { number = 0, holders = {}, changes = {} }
  local all = redis.call('HGETALL', directory_key)
  for index = 1, #all, 2 do
    local kind, id = string.match(all[index], '^(%l+):(.+)$')
    if kind == 'holder' then
      if has_expired(all[index + 1], now) then
        redis.call('HDEL', directory_key, all[index])
      else
        directory.holders[id] = all[index + 1]
      end
    elseif kind == 'change' then
      local change = parse_change(all[index + 1])
      for instance, holder in pairs(change and change.holders or {}) do
        if has_expired(holder, now) then
          change.holders[instance] = nil
        end
      end
      local ttl = change and change.written and FINISHED_CHANGE_TTL_MS or UNWRITTEN_CHANGE_TTL_MS
      if not change or (is_finished(change) or not change.written) and change.beganAt + ttl < now then
        redis.call('HDEL', directory_key, all[index])
      else
        directory.changes[id] = change
      end
    else
      directory.number = parse_number(all[index + 1], now)
    end
  end
  return directory
end

-- Returns the change with this id. Begins it if it does not exist.
local function change_of(directory_key, directory, id, now)
  local change = directory.changes[id]
  if not change then
    directory.number = math.max(now * 1000, directory.number + 1)
    local number = string.format('%.0f', directory.number)
    redis.call('HSET', directory_key, 'number', number)
    change = { number = number, beganAt = now, written = false, holders = {} }
    directory.changes[id] = change
  end
  return change
end

local function store_change(directory_key, id, change)
  redis.call('HSET', directory_key, 'change:' .. id, cjson.encode(change))
end

-- Keeps the directory for at least ttl milliseconds.
local function keep_directory(directory_key, ttl)
  redis.call('PEXPIRE', directory_key, math.max(redis.call('PTTL', directory_key), ttl))
end

-- Adds holders to a map of instances.
local function add_holders(all, holders)
  for instance, holder in pairs(holders) do
    all[instance] = holder
  end
end

-- Returns a map of holders as a list: instance, length of its lease, instance, ...
local function holder_list(holders)
  local list = {}
  for instance, holder in pairs(holders) do
    table.insert(list, instance)
    table.insert(list, tonumber(string.match(holder, '^%d+')))
  end
  return list
end
