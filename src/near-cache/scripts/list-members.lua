-- Lists the members.
-- Version 1
-- KEYS[1] the members: a hash of instance to "<position> <length of its lease in milliseconds> <number of its renewal>"
-- Returns members and values. A master that was replaced may say what was true before: notes only go forward.
return redis.call('HGETALL', KEYS[1])
