-- A form (multipart/form-data), made byte by byte, so that a test can say what stands in it.
--
--   local type, body = form.of { { "model", "whisper-1" }, { "file", bytes, filename = "a.mp3", type = "audio/mpeg" } }
--   g:ask { path = "/v1/audio/transcriptions", type = type, json = body }
--   form.parts(type, body)     -- { { head = …, value = … }, … }
local form = {}

form.BOUNDARY = "----moongate-test-5f3a"

function form.of(parts, boundary)
  boundary = boundary or form.BOUNDARY
  local out = {}
  for _, part in ipairs(parts) do
    out[#out + 1] = ('--%s\r\nContent-Disposition: form-data; name="%s"'):format(boundary, part[1])
    if part.filename then out[#out + 1] = ('; filename="%s"'):format(part.filename) end
    if part.type then out[#out + 1] = "\r\nContent-Type: " .. part.type end
    out[#out + 1] = "\r\n\r\n" .. part[2] .. "\r\n"
  end
  out[#out + 1] = "--" .. boundary .. "--\r\n"
  return "multipart/form-data; boundary=" .. boundary, table.concat(out)
end

function form.parts(type, body)
  local delimiter, parts, at = "--" .. type:match("boundary=(.*)$"), {}, 1
  while true do
    local from, to = body:find(delimiter, at, true)
    if parts[#parts] then parts[#parts].text = body:sub(parts[#parts].from, from - 3) end
    if body:sub(to + 1, to + 2) == "--" then break end
    parts[#parts + 1] = { from = to + 3 }
    at = to + 1
  end
  for _, part in ipairs(parts) do part.head, part.value = part.text:match("^(.-)\r\n\r\n(.*)$") end
  return parts
end

return form
