-- The content of a name: its owner, or the claim of a registration, 'claim_<end of the claim, in milliseconds>_<owner>'. Earlier
-- versions store only the owner of a claim, and the key expires with the claim.

-- Returns the owner, and when the claim ends; nil for the end when it is no such claim.
local function owner_in(content)
  local ends_at, owner = string.match(content or '', '^claim_(%d+)_(.+)$')
  return owner or content, tonumber(ends_at)
end
