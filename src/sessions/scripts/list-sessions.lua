-- Lists the live sessions of a user.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- ARGV[1] idle life of a session, in milliseconds
-- Returns session ids, each followed by its JSON.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = tonumber(redis.call('HGET', KEYS[1], 'sessionEpoch') or 0)
local live = {}
local all = redis.call('HGETALL', KEYS[2])
for index = 1, #all, 2 do
  local session = cjson.decode(all[index + 1])
  if not session.endedAt and session.epoch >= epoch and now < session.endsAt
    and now < session.lastUsedAt + ARGV[1] then
    table.insert(live, all[index])
    table.insert(live, all[index + 1])
  end
end
return live
