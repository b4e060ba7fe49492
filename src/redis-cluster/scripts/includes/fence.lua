-- Writes a key that no script reads. A script that only reads calls it: the WAIT that follows proves that this master was
-- not replaced.
local function write_fence(fence_key)
  redis.call('SET', fence_key, '', 'PX', 1000)
end
