-- Ends a session. A mark stays for a while, so that no late write brings it back.
-- Version 1
-- KEYS[1] the session
-- ARGV[1] life of the mark, in milliseconds
-- Returns 1.
-- Atomic, because between deletion and mark a late write could begin the session anew. Running it twice changes nothing.
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
