-- Reads a text that another application has stored.
-- Version 1
-- KEYS[1] any key of the source of an import
-- Returns the text, or '' when the key does not exist or has no text.
-- Reads only.
local text = redis.pcall('GET', KEYS[1])
return type(text) == 'string' and text or ''
