-- Reads the copy of a user of another store, and its version. The mark of a deleted user has a version, too.
-- Version 1
-- KEYS[1] the copy
-- Returns the version ('' when there is no copy), followed by the fields and values of the user, if any.
local copy = redis.call('HMGET', KEYS[1], 'version', 'deleted')
local fields = copy[2] == '1' and {} or redis.call('HGETALL', KEYS[1])
return { copy[1] or '', unpack(fields) }
