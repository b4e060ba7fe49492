-- Finds whose a name is.
-- Version 1
-- KEYS[1] the name
-- Returns the owner as it was claimed for, or '' when the name is free.
return redis.call('GET', KEYS[1]) or ''
