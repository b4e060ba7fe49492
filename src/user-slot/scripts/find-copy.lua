-- Reads the copy of a user who is kept in another store, and its version, also of one who was deleted.
-- Version 1
-- KEYS[1] the copy
-- Returns the version, '' when there is no copy, followed by the fields and values of the user, if there is one.
local copy = redis.call('HMGET', KEYS[1], 'version', 'deleted')
local fields = copy[2] == '1' and {} or redis.call('HGETALL', KEYS[1])
return { copy[1] or '', unpack(fields) }
