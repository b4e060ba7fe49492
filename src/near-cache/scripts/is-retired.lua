-- Asks whether an instance holds nothing any more. It is for an instance whose inbox does not answer.
-- Version 1
-- KEYS[1] the mark, see retire-instance.lua
-- Returns 1 or 0. A replaced master may return an old answer. That is safe, because a mark stays true.
return redis.call('EXISTS', KEYS[1])
