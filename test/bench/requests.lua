-- Load for wrk. Arguments: a file of requests; "cycle" (repeat the list) or "once" (the run ends at the end of the list,
-- and its duration counts until then); milliseconds that each connection waits before a request.
-- A line of the file: method, path, header, body (JSON or a form), separated by tabs. Empty fields are omitted.

local ffi = require('ffi')
ffi.cdef [[
  typedef struct { long seconds; long nanos; } moment;
  int clock_gettime(int clock, moment *now);
]]

local threads = {}

local function micros()
  local now = ffi.new('moment')
  ffi.C.clock_gettime(0, now)
  return tonumber(now.seconds) * 1e6 + tonumber(now.nanos) / 1e3
end

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
        local is_json = body:sub(1, 1) == '{'
        headers['Content-Type'] = is_json and 'application/json' or 'application/x-www-form-urlencoded'
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
  startedAt, endedAt = 0, 0

  function request()
    position = position + 1
    if startedAt == 0 then
      startedAt = micros()
    end
    if position > #list then
      if order == 'once' then
        endedAt = micros()
        wrk.thread:stop()
        return '' -- this connection has been given its turn already
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
  local duration, endedAt = summary.duration, threads[1]:get('endedAt')
  if endedAt > 0 then
    duration = endedAt - threads[1]:get('startedAt')
  end
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"requests":%d,"durationMicros":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},' ..
    '"latencyMicros":{"p50":%d,"p90":%d,"p99":%d,"max":%d}}\n',
    summary.requests, duration,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
