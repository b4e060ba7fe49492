-- Exchanges a refresh token for its successor. For a token that was spent recently, returns the answers of this token and of
-- all later ones.
-- Version 7
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the answers of the last exchanges of the session, oldest first: a JSON list of {hash, next, spentAt, answer}, where hash
--   is the digest of the spent token, next that of its successor, spentAt is in milliseconds since the epoch, and answer is
--   encrypted. Before version 7: without next, which was the next in the list. Before version 4: only the last answer
-- KEYS[4] the fence, a key that is only written
-- KEYS[5] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- ARGV[1] session id
-- ARGV[2] digest of the presented token; the caller has checked that Keyslot issued the token
-- ARGV[3] digest of the successor
-- ARGV[4] the answer, encrypted with a key that is derived from the presented token
-- ARGV[5] grace period of a spent token, in milliseconds from its exchange; 0 for none
-- ARGV[6] idle lifetime of the session, in milliseconds
-- ARGV[7] digest of the new access token, which the caller has signed
-- ARGV[8] maximum number of verified tokens that a session remembers
-- ARGV[9] burst of exchanges of a session; 0 for no limit
-- ARGV[10] interval after which one more exchange is allowed, in milliseconds
-- ARGV[11] maximum number of answers that are kept for a session
-- Returns {'rotated'}; {'replayed', answer, answer, ...} with the answers of the presented token, of its successor, and so
-- on to the newest; {'reused'} when the grace period is over, or too many exchanges followed; {'ended'} when the session is
-- not live; {'limited', milliseconds to wait} when the session has made too many exchanges: the token is not spent.
-- Atomic: of concurrent callers with the same token, exactly one creates the successor. A second run of the same call finds
-- its own successor, or returns its own answer and the ones after it. The maximum age of the session does not change.
-- Every outcome writes, so that the WAIT that follows proves that this master was not replaced. A replaced master may not
-- know the newest token. It would return {'reused'}, and the caller would end the session.
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "verified-tokens"
--- @include "refresh-tokens"
local now = now_ms()
local session = read_used_session(KEYS[2], KEYS[5], ARGV[1])
if life_left(session, session_user(KEYS[1]), ARGV[6], now) <= 0 then
  write_fence(KEYS[4])
  return { 'ended' }
end
local grace = tonumber(ARGV[5])
local kept = grace > 0 and redis.call('GET', KEYS[3]) or '[]'
if kept:sub(1, 1) ~= '[' then
  local spent_at = now + redis.call('PTTL', KEYS[3]) - grace
  kept = cjson.encode({ { hash = session.previousHash, spentAt = spent_at, answer = kept } })
end
local answers = {}
for _, one in ipairs(cjson.decode(kept)) do
  if now < one.spentAt + grace then
    table.insert(answers, one)
  end
end
if token_life(session, ARGV[2], now) <= 0 then
  write_fence(KEYS[4])
  if session.previousHash == ARGV[2] and session.refreshHash == ARGV[3] then
    return { 'rotated' }
  end
  local replayed = answers_from(answers, ARGV[2])
  return #replayed > 0 and { 'replayed', unpack(replayed) } or { 'reused' }
end
local burst, interval = tonumber(ARGV[9]), tonumber(ARGV[10])
if burst > 0 then
  -- GCRA: one number stores when the full burst is available again.
  local earned_at = math.max(session.refreshesEarnedAt or 0, now)
  local wait = earned_at + interval - now - burst * interval
  if wait > 0 then
    write_fence(KEYS[4])
    return { 'limited', wait }
  end
  session.refreshesEarnedAt = earned_at + interval
end
remember_verified(session, ARGV[7], ARGV[8])
replace_token(session, ARGV[2], ARGV[3], grace, now)
session.lastUsedAt = now
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
if grace > 0 then
  table.insert(answers, { hash = ARGV[2], next = ARGV[3], spentAt = now, answer = ARGV[4] })
  while #answers > tonumber(ARGV[11]) do
    table.remove(answers, 1)
  end
  redis.call('SET', KEYS[3], cjson.encode(answers), 'PX', grace)
else
  redis.call('DEL', KEYS[3])
end
return { 'rotated' }
