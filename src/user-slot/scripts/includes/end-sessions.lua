--- @include "live"
-- Ends sessions. No other code ends sessions, except by deleting the user (user.lua). These scripts use it:
--   end-session.lua    a logout, the end of one session, the reuse of a refresh token
--   revoke-token.lua   the revocation of too many access tokens of one session
--   start-session.lua  the eviction of the least recently used session
--   change-user.lua    a new password or address, the end of all sessions, a disabled user
--   put-mirrored-user.lua  the same for a user of another store
--   add-factor.lua, confirm-factor.lua, remove-factors.lua  a second factor that counts from now on, or no more
-- A session is also not live after it has expired, and while its user is disabled: live.lua.

-- Ends one session. A mark replaces it, so that a late write cannot bring it back. The mark keeps the verified tokens, so that
-- they are refused without a check of their signature. ended_by is the id of the request that ended the session, or nil.
local function end_session(sessions_key, session_id, session, ended_by, now)
  local mark = { endedAt = now, endedBy = ended_by, verified = session.verified }
  redis.call('HSET', sessions_key, session_id, cjson.encode(mark))
end

-- Ends all sessions of a user except except_id, in constant time. It begins a new epoch, and a session of an older epoch is
-- not live. epoch is the stored current epoch.
local function end_all_sessions(user_key, sessions_key, except_id, epoch, now)
  local last = tonumber(epoch or 0)
  redis.call('HSET', user_key, 'sessionEpoch', last + 1, 'sessionEpochAt', now)
  local kept = read_session(sessions_key, except_id)
  if kept and not kept.endedAt and kept.epoch == last then
    kept.epoch = last + 1
    redis.call('HSET', sessions_key, except_id, cjson.encode(kept))
  end
end
