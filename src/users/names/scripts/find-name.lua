-- Finds whose a name is.
-- Version 2
-- KEYS[1] the name, as includes/owner.lua describes it
-- Returns the owner, as it was claimed, and 1 while it is a claim, else 0. The owner is '' when the name is free.
--- @include "owner"
local owner, ends_at = owner_in(redis.call('GET', KEYS[1]))
return { owner or '', ends_at and 1 or 0 }
