-- Exchanges a refresh token for its successor, or replays the answers that lead from a token spent a moment ago to the newest.
-- Version 4
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the answers of the session's last exchanges, oldest first: a JSON list of {hash, spentAt, answer}, where hash is
--   the digest of the spent token, spentAt is in milliseconds since the epoch, and answer is encrypted. Before version 4: the
--   last answer alone
-- KEYS[4] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] digest of the token that was presented; the caller has checked that we issued it
-- ARGV[3] digest of the successor
-- ARGV[4] the answer, encrypted under a key that only the presented token yields
-- ARGV[5] how long a spent token may be replayed, in milliseconds from its exchange; 0 for never
-- ARGV[6] idle life of the session, in milliseconds
-- ARGV[7] digest of the new access token, which the caller has signed
-- ARGV[8] how many verified tokens of a session are remembered at the most
-- ARGV[9] how many exchanges a session may make at once; 0 for any number
-- ARGV[10] how long it takes until one more may be made, in milliseconds
-- ARGV[11] how many answers of a session are kept at the most
-- Returns {'rotated'}; {'replayed', answer, answer, ...} with the answer of the presented token, that of its successor, and
-- so on to the newest; {'reused'} when the token was spent longer ago, or too many exchanges came after it; {'ended'} when
-- the session or its user is no more; {'limited', milliseconds to wait} when the session has made too many exchanges: the
-- token can still be used.
-- Atomic, because of any number of callers with the same token exactly one may have the successor made. A second run of
-- the same call finds its own successor, or replays its own answer and what came after it. The longest life of the session
-- stays as it is. Every outcome writes, so that a WAIT behind it proves that this master was not replaced: one that was
-- knows the newest token for no token of its own, and would have its session ended.
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "verified-tokens"
local now = now_ms()
local session = read_session(KEYS[2], ARGV[1])
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
if session.refreshHash ~= ARGV[2] then
  write_fence(KEYS[4])
  if session.previousHash == ARGV[2] and session.refreshHash == ARGV[3] then
    return { 'rotated' }
  end
  local reply
  for _, one in ipairs(answers) do
    reply = reply or (one.hash == ARGV[2] and { 'replayed' })
    if reply then
      table.insert(reply, one.answer)
    end
  end
  return reply or { 'reused' }
end
local burst, interval = tonumber(ARGV[9]), tonumber(ARGV[10])
if burst > 0 then
  -- GCRA: one number tells when all that was made has been earned again.
  local earned_at = math.max(session.refreshesEarnedAt or 0, now)
  local wait = earned_at + interval - now - burst * interval
  if wait > 0 then
    write_fence(KEYS[4])
    return { 'limited', wait }
  end
  session.refreshesEarnedAt = earned_at + interval
end
remember_verified(session, ARGV[7], ARGV[8])
session.previousHash = ARGV[2]
session.refreshHash = ARGV[3]
session.lastUsedAt = now
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
if grace > 0 then
  table.insert(answers, { hash = ARGV[2], spentAt = now, answer = ARGV[4] })
  while #answers > tonumber(ARGV[11]) do
    table.remove(answers, 1)
  end
  redis.call('SET', KEYS[3], cjson.encode(answers), 'PX', grace)
else
  redis.call('DEL', KEYS[3])
end
return { 'rotated' }
