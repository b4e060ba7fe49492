-- Load for wrk. Arguments: a file of requests; "cycle" (again from the start at the end) or "once" (stop at the end);
-- milliseconds that each connection waits before a request.
-- A line of the file: method, path, header, body, separated by tabs. What is empty is left out.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local function read(file)
  local formatted, list = {}, {}
  for line in io.lines(file) do
    if not formatted[line] then
      local method, path, header, body = line:match('^(.-)\t(.-)\t(.-)\t(.*)$')
      local headers = {}
      if header ~= '' then
        local name, value = header:match('^(.-): (.*)$')
        headers[name] = value
      end
      if body ~= '' then
        headers['Content-Type'] = 'application/json'
      end
      formatted[line] = wrk.format(method, path, headers, body ~= '' and body or nil)
    end
    list[#list + 1] = formatted[line]
  end
  return list
end

function init(args)
  local list, order, delayMs = read(args[1]), args[2], tonumber(args[3])
  local position = 0
  exhausted = false

  function request()
    position = position + 1
    if position > #list then
      if order == 'once' then
        exhausted = true
        wrk.thread:stop()
        return list[#list]
      end
      position = 1
    end
    return list[position]
  end

  if delayMs > 0 then
    function delay()
      return delayMs
    end
  end
end

function done(summary, latency)
  local isExhausted = false
  for _, thread in ipairs(threads) do
    isExhausted = isExhausted or thread:get('exhausted')
  end
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"requests":%d,"durationMicros":%d,"isExhausted":%s,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},' ..
    '"latencyMicros":{"p50":%d,"p90":%d,"p99":%d,"max":%d}}\n',
    summary.requests, summary.duration, tostring(isExhausted),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
