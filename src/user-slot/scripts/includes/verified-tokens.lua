-- The digests of the access tokens of a session whose signature was verified.

local function is_verified(session, digest)
  for _, known in ipairs(session.verified or {}) do
    if known == digest then
      return true
    end
  end
  return false
end

-- Adds a digest, and removes the oldest ones beyond max_count.
local function remember_verified(session, digest, max_count)
  local verified = session.verified or {}
  table.insert(verified, digest)
  while #verified > tonumber(max_count) do
    table.remove(verified, 1)
  end
  session.verified = verified
end
