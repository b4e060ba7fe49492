-- Lists the live sessions of a user.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- ARGV[1] idle lifetime of a session, in milliseconds
-- Returns session ids, each followed by its JSON.
--- @include "now"
--- @include "live"
local now = now_ms()
local user = session_user(KEYS[1])
local live = {}
local all = redis.call('HGETALL', KEYS[2])
for index = 1, #all, 2 do
  local session = cjson.decode(all[index + 1])
  if life_left(session, user, ARGV[1], now) > 0 then
    table.insert(live, all[index])
    table.insert(live, all[index + 1])
  end
end
return live
