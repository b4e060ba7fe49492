-- Writes a key that nobody reads. A script that only reads calls it, so that a WAIT behind the script proves that this
-- master was not replaced.
local function write_fence(fence_key)
  redis.call('SET', fence_key, '', 'PX', 1000)
end
