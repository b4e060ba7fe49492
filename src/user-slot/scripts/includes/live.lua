-- Decides whether a session is live. No other code decides it.

-- Returns the fields of a user that decide about sessions. Returns nil when the user is unknown, deleted or disabled: such a
-- user has no live session.
local function session_user(user_key)
  local fields = redis.call('HMGET', user_key, 'id', 'deleted', 'disabled', 'sessionEpoch', 'sessionEpochAt',
    'passwordVersion')
  if not fields[1] or fields[2] == '1' or fields[3] == '1' then
    return nil
  end
  return {
    epoch = tonumber(fields[4] or 0),
    epoch_at = tonumber(fields[5] or 0),
    password_version = fields[6],
  }
end

-- Returns a session, or the mark of an ended session; nil when there is neither.
local function read_session(sessions_key, session_id)
  local text = redis.call('HGET', sessions_key, session_id)
  return text and cjson.decode(text) or nil
end

-- Takes over the last use of a session that a service has noted. used_at may be nil, false, or text that is no time.
local function add_use(session, used_at)
  local time = tonumber(used_at or nil) or 0
  if session and not session.endedAt and time > session.lastUsedAt and time < 1e14 then
    session.lastUsedAt = time
  end
  return session
end

-- Returns a session with its last use, or the mark of an ended session; nil when there is neither.
local function read_used_session(sessions_key, uses_key, session_id)
  return add_use(read_session(sessions_key, session_id), redis.call('HGET', uses_key, session_id))
end

-- Returns the uses that services have noted, by session id.
local function read_uses(uses_key)
  local uses = {}
  local all = redis.call('HGETALL', uses_key)
  for index = 1, #all, 2 do
    uses[all[index]] = all[index + 1]
  end
  return uses
end

-- Returns when a session expires unless it is ended, in milliseconds since the epoch.
local function expires_at(session, idle_ms)
  return math.min(session.endsAt, session.lastUsedAt + idle_ms)
end

-- Returns for how many milliseconds a session stays live when it is not used; 0 or less when it is not live.
local function life_left(session, user, idle_ms, now)
  if not session or session.endedAt or not user or session.epoch < user.epoch then
    return 0
  end
  return expires_at(session, idle_ms) - now
end

-- Whether a session may still write for its user, after the guard has decided about the request. The idle lifetime does not count,
-- because the guard has just noted the use.
local function may_write(sessions_key, session_id, user, now)
  return life_left(read_session(sessions_key, session_id), user, math.huge, now) > 0
end

-- Returns since when a session is not live, in milliseconds since the epoch.
local function not_live_since(session, user, idle_ms)
  if session.endedAt then
    return session.endedAt
  end
  local expiry = expires_at(session, idle_ms)
  return session.epoch < user.epoch and math.min(expiry, user.epoch_at) or expiry
end
