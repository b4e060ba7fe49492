-- Records that somebody watches the changes of the cluster, so that the instances publish them.
-- Version 1
-- KEYS[1] the mark
-- ARGV[1] its lifetime, in milliseconds
-- Returns 1. Running it twice changes nothing.
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
