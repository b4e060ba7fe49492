-- Stores a login that waits for its second step.
-- Version 1
-- KEYS[1] the pending login
-- ARGV[1] the login, as JSON
-- ARGV[2] its lifetime, in milliseconds
-- Returns 1.
-- Idempotent: a late second run could bring a login back that has ended. It then has the lifetime of a new one, and still needs a
-- second factor.
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
