--- @include "live"
-- Ends sessions. No other code does, but for the deletion of a user.

-- Ends one. A mark stays in its place, so that no late write brings it back. The verified tokens stay, so that to refuse
-- one of them takes no second look. ended_by is the id of the request that did it, or nil.
local function end_session(sessions_key, session_id, session, ended_by, now)
  local mark = { endedAt = now, endedBy = ended_by, verified = session.verified }
  redis.call('HSET', sessions_key, session_id, cjson.encode(mark))
end

-- Ends all of a user, but the one of except_id, by a new epoch: those of an older one are over, however many they are.
-- epoch is the present one, as it is stored.
local function end_all_sessions(user_key, sessions_key, except_id, epoch, now)
  local last = tonumber(epoch or 0)
  redis.call('HSET', user_key, 'sessionEpoch', last + 1, 'sessionEpochAt', now)
  local kept = read_session(sessions_key, except_id)
  if kept and not kept.endedAt and kept.epoch == last then
    kept.epoch = last + 1
    redis.call('HSET', sessions_key, except_id, cjson.encode(kept))
  end
end
