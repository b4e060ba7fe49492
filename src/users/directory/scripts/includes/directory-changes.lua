-- The changes of an entry of the directory that may be in progress, as directory-entry.lua describes them.

-- Forgets changes that cannot be in progress any more. Returns when the oldest of the others was noted, nil when there is none.
local function forget_old_changes(entry, ttl, now)
  local oldest
  for change, noted in pairs(entry.changes) do
    if noted.at <= now - ttl then
      entry.changes[change] = nil
    else
      oldest = math.min(oldest or noted.at, noted.at)
    end
  end
  return oldest
end

local MAX_CHANGES = 50
-- Takes the place of changes that were joined. It has no end, so it counts until the last of them cannot be in progress any more.
local JOINED = 'joined'

local function add_all(set, names)
  for _, name in ipairs(names) do
    set[name] = true
  end
end

local function names_of(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  return names
end

-- Joins all changes of an entry that has too many of them. Their ends, which may come later, change nothing.
local function join_changes(entry)
  local count, at, filters, keys = 0, 0, {}, {}
  for _, noted in pairs(entry.changes) do
    count = count + 1
    at = math.max(at, noted.at)
    add_all(filters, noted.filters)
    add_all(keys, noted.keys)
  end
  if count >= MAX_CHANGES then
    entry.changes = { [JOINED] = { at = at, filters = names_of(filters), keys = names_of(keys) } }
  end
end

-- Returns whether a change in progress may give the user a filter or a key. `kind` is 'filters' or 'keys'.
local function is_expected(entry, kind, name)
  for _, noted in pairs(entry.changes) do
    for _, expected in ipairs(noted[kind]) do
      if expected == name then
        return true
      end
    end
  end
  return false
end
