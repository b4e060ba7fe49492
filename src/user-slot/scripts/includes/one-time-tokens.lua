-- The one-time tokens of a user: a hash of kind to a JSON list, the oldest first, of {hash, binding, expiresAt}.
-- Returns the tokens of a kind that `is_selected` selects.
local function select_tokens(tokens_key, kind, is_selected)
  local text = redis.call('HGET', tokens_key, kind)
  local selected = {}
  for _, token in ipairs(text and cjson.decode(text) or {}) do
    if is_selected(token) then
      table.insert(selected, token)
    end
  end
  return selected
end
