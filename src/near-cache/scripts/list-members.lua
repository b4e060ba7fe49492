-- Lists the members.
-- Version 1
-- KEYS[1] the members: a hash of instance to "<position> <length of its lease in milliseconds> <number of its renewal>"
-- Returns members and values. A replaced master may return old values. That is safe, because positions only increase.
return redis.call('HGETALL', KEYS[1])
