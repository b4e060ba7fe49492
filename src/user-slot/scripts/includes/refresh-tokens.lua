-- The refresh tokens of a session that may be exchanged. No other code decides which these are. `refreshHash` is the digest of the
-- newest one. `otherTokens` are further ones, each {hash, authTime, amr, endsAt}: they exist after a reauthentication, because the
-- client may keep the former token. One without endsAt is valid like the newest, the others until then, in milliseconds since the
-- epoch.
-- Each token has the authentication from which it comes: `authTime` and `amr` of the session are those of the newest token. Otherwise
-- a thief with a copy of a former token would get the `auth_time` of a reauthentication.

local function newest_token(session)
  return { hash = session.refreshHash, authTime = session.authTime, amr = session.amr }
end

local function set_newest_token(session, token)
  session.refreshHash = token.hash
  session.authTime = token.authTime
  session.amr = token.amr
end

-- Returns a token as in `otherTokens`; nil for one that is not known.
local function find_token(session, hash)
  if session.refreshHash == hash then
    return newest_token(session)
  end
  for _, other in ipairs(session.otherTokens or {}) do
    if other.hash == hash then
      return other
    end
  end
  return nil
end

-- Returns for how many milliseconds a refresh token may be exchanged while its session lives; 0 or less when it may not.
local function token_life(session, hash, now)
  local token = find_token(session, hash)
  return token and (token.endsAt or math.huge) - now or 0
end

-- Adds the token of a reauthentication, {hash, authTime, amr}, and removes the oldest ones beyond max_count. Without a grace period,
-- all former tokens end.
local function add_token(session, token, max_count, grace, now)
  local others = session.otherTokens or {}
  table.insert(others, newest_token(session))
  while #others > tonumber(max_count) do
    table.remove(others, 1)
  end
  session.otherTokens = grace > 0 and others or nil
  session.raisedAt = now
  set_newest_token(session, token)
end

-- Replaces a token by its successor, which has the same authentication. All other tokens of the session end after the grace period.
-- Answers to requests of the same time may overtake each other, and the client keeps the last one. So until the grace period after a
-- reauthentication is over, an exchange ends no other token: the next exchange after it does.
local function replace_token(session, hash, successor, grace, now)
  local ends_at = now + grace
  if session.raisedAt and now < session.raisedAt + grace then
    ends_at = nil
  end
  local spent = find_token(session, hash)
  local all = session.otherTokens or {}
  table.insert(all, newest_token(session))
  local others = {}
  for _, other in ipairs(all) do
    local is_over = other.endsAt and other.endsAt <= now
    if other.hash ~= hash and not is_over then
      other.endsAt = other.endsAt or ends_at
      table.insert(others, other)
    end
  end
  session.previousHash = hash
  session.otherTokens = #others > 0 and others or nil
  set_newest_token(session, { hash = successor, authTime = spent.authTime, amr = spent.amr })
end

-- Selects from the stored answers those of a spent token, of its successor, and so on. Returns them, and the digest of the token to
-- which they lead; nil for answers of earlier versions, which do not name it.
local function answers_from(answers, hash)
  local selected = {}
  local wanted = hash
  for _, one in ipairs(answers) do
    if not wanted or one.hash == wanted then
      table.insert(selected, one.answer)
      wanted = one.next
    end
  end
  return selected, wanted
end
