-- Returns when and how the user authenticated from whom a refresh token comes. One session may have tokens of several
-- authentications.
-- Version 2
-- KEYS[1] the user's sessions: a hash of session id to JSON
-- KEYS[2] the answers of the last exchanges of the session, see rotate-refresh-token.lua
-- ARGV[1] session id
-- ARGV[2] digest of the refresh token. A token that was spent recently counts as the one to which its answers lead
-- Returns {seconds since the epoch, methods as a JSON list}; an empty list when the session has no such token.
-- The result stays true while the token may be exchanged or replayed, except that a removed factor is no longer named.
--- @include "live"
--- @include "refresh-tokens"
local session = read_session(KEYS[1], ARGV[1])
if not session or session.endedAt then
  return {}
end
local token = find_token(session, ARGV[2])
if not token then
  local kept = redis.call('GET', KEYS[2]) or '[]'
  local _, newest = answers_from(kept:sub(1, 1) == '[' and cjson.decode(kept) or {}, ARGV[2])
  token = newest and find_token(session, newest)
end
if not token then
  return {}
end
return { token.authTime or math.floor(session.createdAt / 1000), cjson.encode(token.amr or { 'pwd' }) }
