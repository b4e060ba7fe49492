-- Notes that the user of a session has authenticated again.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the user's factors: a hash of factor id to JSON
-- ARGV[1] session id
-- ARGV[2] version of the password that was verified, or '' for none
-- ARGV[3] version of the factors for which a proof was checked, or '' for none
-- ARGV[4] when the user authenticated, in seconds since the epoch
-- ARGV[5] how, as a JSON list
-- ARGV[6] digest of the new access token, which the caller has signed
-- ARGV[7] digest of a further refresh token
-- ARGV[8] idle lifetime of the session, in milliseconds
-- ARGV[9] maximum number of verified tokens that a session remembers
-- ARGV[10] maximum number of refresh tokens that are valid beside the newest
-- ARGV[11] grace period of a spent refresh token, in milliseconds; 0 for none
-- Returns {'raised'}, also for a second run of the same call; {'second-factor', types} when the user has second factors, and none
-- was checked; {'refused'} when the session is not live, or the password or the factors have changed since the check.
-- Atomic: a proof of a removed factor or an old password must not raise the session. The former refresh tokens keep their
-- authentication. They stay valid until one of them is exchanged, because the client may not receive the new one. Without a grace
-- period they end at once.
--- @include "now"
--- @include "live"
--- @include "verified-tokens"
--- @include "refresh-tokens"
--- @include "factors"
local now = now_ms()
local user = session_user(KEYS[1])
local session = read_session(KEYS[2], ARGV[1])
if life_left(session, user, ARGV[8], now) <= 0 then
  return { 'refused' }
end
local types, version = confirmed_types(KEYS[3])
if (ARGV[2] ~= '' and ARGV[2] ~= user.password_version) or (ARGV[3] ~= '' and ARGV[3] ~= version) then
  return { 'refused' }
end
if ARGV[3] == '' and types ~= '[]' then
  return { 'second-factor', types }
end
if token_life(session, ARGV[7], now) <= 0 then
  local token = { hash = ARGV[7], authTime = tonumber(ARGV[4]), amr = cjson.decode(ARGV[5]) }
  add_token(session, token, ARGV[10], tonumber(ARGV[11]), now)
  remember_verified(session, ARGV[6], ARGV[9])
end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
return { 'raised' }
