-- Finds events of one type in one partition of the audit trail.
-- Version 1
-- KEYS[1] the events of the type: a hash of entry to JSON
-- ARGV[1] the first entry, and after it the other ones
-- Returns the JSON of each event; nil for one that has been removed.
return redis.call('HMGET', KEYS[1], unpack(ARGV))
