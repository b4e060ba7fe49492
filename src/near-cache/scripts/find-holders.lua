-- Finds the instances that may hold a subject in memory, for operators.
-- Version 1
-- KEYS[1] the directory of the subject
-- Returns the holders, each followed by the length of its lease. No decision depends on the answer.
--- @include "now"
--- @include "directory"
return holder_list(read_directory(KEYS[1], now_ms()).holders)
