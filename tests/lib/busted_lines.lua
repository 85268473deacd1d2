-- busted's output as the suite reads it: failures with their place, then `file: N passed, N failed` for each file.
return function()
  local busted = require("busted")
  local handler = require("busted.outputHandlers.base")()
  local counts

  local function tell(kind, element, parent, message, trace)
    local shown = handler.format(element, parent, message, trace, true)
    local place = shown.trace and shown.trace.short_src and
      shown.trace.short_src .. ":" .. tostring(shown.trace.currentline) or ""
    local text = type(message) == "table" and (message.message or require("pl.pretty").write(message)) or message
    print(("%s: %s  %s"):format(kind, shown.name, place))
    print((tostring(text):gsub("[^\n]+", "    %0")))
    io.stdout:flush()
  end

  local function at_file()
    counts = { passed = 0, failed = 0, skipped = 0 }
    return nil, true
  end

  local function at_file_end(file)
    local name = tostring(file.name or "spec"):gsub("^%./", ""):gsub("^tests/", ""):gsub("%.lua$", "")
    local skipped = counts.skipped > 0 and (", %d skipped"):format(counts.skipped) or ""
    print(("%s: %d passed, %d failed%s"):format(name, counts.passed, counts.failed, skipped))
    io.stdout:flush()
    return nil, true
  end

  local function at_test_end(_, _, status)
    local field = status == "success" and "passed" or status == "pending" and "skipped" or nil
    if field then counts[field] = counts[field] + 1 end
    return nil, true
  end

  local function at_failure(element, parent, message, trace)
    counts = counts or { passed = 0, failed = 0, skipped = 0 }
    counts.failed = counts.failed + 1
    tell("not ok", element, parent, message, trace)
    return nil, true
  end

  busted.subscribe({ "file", "start" }, at_file)
  busted.subscribe({ "file", "end" }, at_file_end)
  busted.subscribe({ "test", "end" }, at_test_end)
  busted.subscribe({ "failure" }, at_failure)
  busted.subscribe({ "error" }, at_failure)
  return handler
end
