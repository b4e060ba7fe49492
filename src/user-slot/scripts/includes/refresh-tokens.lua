-- The refresh tokens of a session that may be exchanged. No other code decides which these are. `refreshHash` is the digest of the
-- newest one. `otherTokens` are further ones, each {hash, endsAt}: they exist after a reauthentication, because the client may keep
-- the former token. One without endsAt is valid like the newest, the others until then, in milliseconds since the epoch.

-- Returns for how many milliseconds a refresh token may be exchanged while its session lives; 0 or less when it may not.
local function token_life(session, hash, now)
  if session.refreshHash == hash then
    return math.huge
  end
  for _, other in ipairs(session.otherTokens or {}) do
    if other.hash == hash then
      return (other.endsAt or math.huge) - now
    end
  end
  return 0
end

-- Adds the token of a reauthentication, and removes the oldest ones beyond max_count.
local function add_token(session, hash, max_count, now)
  local others = session.otherTokens or {}
  table.insert(others, { hash = hash })
  while #others > tonumber(max_count) do
    table.remove(others, 1)
  end
  session.otherTokens = others
  session.raisedAt = now
end

-- Replaces a token by its successor. All other tokens of the session end after the grace period. Answers to requests of the same
-- time may overtake each other, and the client keeps the last one. So until the grace period after a reauthentication is over, an
-- exchange ends no other token: the next exchange after it does.
local function replace_token(session, hash, successor, grace, now)
  local ends_at = now + grace
  if session.raisedAt and now < session.raisedAt + grace then
    ends_at = nil
  end
  local all = session.otherTokens or {}
  table.insert(all, { hash = session.refreshHash })
  local others = {}
  for _, other in ipairs(all) do
    local is_over = other.endsAt and other.endsAt <= now
    if other.hash ~= hash and not is_over then
      other.endsAt = other.endsAt or ends_at
      table.insert(others, other)
    end
  end
  session.previousHash = hash
  session.refreshHash = successor
  session.otherTokens = #others > 0 and others or nil
end
