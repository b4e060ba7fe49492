-- Records that an instance holds nothing any more and never will. Only that instance may record it.
-- Version 1
-- KEYS[1] the mark, in another shard than the inbox of the instance if there is one
-- ARGV[1] lifetime of the mark, in milliseconds
-- Returns 1. Running it twice changes nothing.
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
