-- Claims a user name for a registration.
-- Version 2
-- KEYS[1] the name, as includes/owner.lua describes it
-- ARGV[1] who wants it: the id of a user, marked when it is for the skeleton of a name
-- ARGV[2] time after which another registration may ask whether the user exists, in milliseconds
-- ARGV[3] a content that belongs to no user and may be replaced, or ''
-- Returns an empty list when the name is claimed. Else returns its content and its owner, and 1 while the owner's registration
-- may be in progress, else 0.
-- Atomic: of several concurrent claims exactly one may win. A claim does not expire, because the user of a crashed registration
-- may exist. Running it twice changes nothing but the end of the claim. A run that arrives after the name was confirmed changes
-- nothing at all.
--- @include "now"
--- @include "owner"
local content = redis.call('GET', KEYS[1])
local owner, ends_at = owner_in(content)
local expires = redis.call('PTTL', KEYS[1]) ~= -1
local now = now_ms()
if content == ARGV[1] and not expires then
  redis.call('SET', KEYS[1], content)
  return {}
end
if owner and owner ~= ARGV[1] then
  local is_in_progress = expires or (ends_at or 0) > now
  if is_in_progress or content ~= ARGV[3] then
    return { content, owner, is_in_progress and 1 or 0 }
  end
end
redis.call('SET', KEYS[1], string.format('claim_%d_%s', now + ARGV[2], ARGV[1]))
return {}
