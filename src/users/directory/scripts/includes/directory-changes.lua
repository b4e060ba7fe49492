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
