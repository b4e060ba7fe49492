-- Changes fields of a user, ends the user's sessions, or both.
-- Version 5
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- ARGV[1] number of this change; those of one user only grow
-- ARGV[2] version of the password that was verified for it, or '' when none was needed
-- ARGV[3] number of the last change before this one, or '' when it may be any
-- ARGV[4] 1 to end all sessions, else 0
-- ARGV[5] id of a session that does not end with the others, or ''
-- ARGV[6] roles that the user must not have, as a JSON list
-- ARGV[7] 1 when the change gives the user a new password, else 0
-- ARGV[8], ARGV[9], ... fields and their new values; '' clears
-- Returns {'changed', field, value, ...} with the changed user, also for an earlier run of the same change;
-- {'overtaken'} when a later change came first; {'outdated'} when the password, or with ARGV[3] anything, was changed since;
-- {'protected', role} when the user has a role of ARGV[6]; {'unknown'} when there is no such user.
-- Atomic, because a deleted user must not come back, and because a session must not slip through between a new password
-- and the end of the others. A run that comes late must not undo what was changed since. Sessions end by their epoch:
-- those begun in an older one are over, however many they are.
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'passwordVersion', 'sessionEpoch', 'lastChange', 'roles')
if not user[1] or user[2] == '1' then
  return { 'unknown' }
end
local last = tonumber(user[5] or 0)
local this = tonumber(ARGV[1])
if this < last then
  return { 'overtaken' }
end
if this > last then
  if (ARGV[2] ~= '' and ARGV[2] ~= user[3]) or (ARGV[3] ~= '' and ARGV[3] ~= (user[5] or '0')) then
    return { 'outdated' }
  end
  for _, protected in ipairs(cjson.decode(ARGV[6])) do
    for _, role in ipairs(cjson.decode(user[6] or '[]')) do
      if role == protected then
        return { 'protected', role }
      end
    end
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if #ARGV > 7 then
    local time_of_password = ARGV[7] == '1' and 'passwordChangedAt' or 'updatedAt'
    redis.call('HSET', KEYS[1], 'updatedAt', now, time_of_password, now, unpack(ARGV, 8))
  end
  if ARGV[4] == '1' then
    local epoch = tonumber(user[4] or 0) + 1
    redis.call('HSET', KEYS[1], 'sessionEpoch', epoch, 'sessionEpochAt', now)
    local kept = redis.call('HGET', KEYS[2], ARGV[5])
    local session = kept and cjson.decode(kept)
    if session and not session.endedAt and session.epoch == epoch - 1 then
      session.epoch = epoch
      redis.call('HSET', KEYS[2], ARGV[5], cjson.encode(session))
    end
  end
end
redis.call('HSET', KEYS[1], 'lastChange', ARGV[1])
return { 'changed', unpack(redis.call('HGETALL', KEYS[1])) }
