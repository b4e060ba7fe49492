-- Removes members that have not renewed their lease since the caller read them.
-- Version 1
-- KEYS[1] the members: a hash of instance to "<position> <length of its lease in milliseconds> <number of its renewal>"
-- ARGV[1], ARGV[2], ... instances, each followed by the value that the caller read
-- Returns how many were removed.
-- Atomic: an instance that has renewed its lease in the meantime must stay. Running it twice changes nothing.
local removed = 0
for index = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    removed = removed + redis.call('HDEL', KEYS[1], ARGV[index])
  end
end
return removed
