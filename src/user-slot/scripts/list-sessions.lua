-- Lists the live sessions of a user.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- ARGV[1] idle lifetime of a session, in milliseconds
-- Returns session ids, each followed by its JSON.
--- @include "now"
--- @include "live"
local now = now_ms()
local user = session_user(KEYS[1])
local uses = read_uses(KEYS[3])
local live = {}
local all = redis.call('HGETALL', KEYS[2])
for index = 1, #all, 2 do
  local session = add_use(cjson.decode(all[index + 1]), uses[all[index]])
  if life_left(session, user, ARGV[1], now) > 0 then
    table.insert(live, all[index])
    table.insert(live, uses[all[index]] and cjson.encode(session) or all[index + 1])
  end
end
return live
