-- The shipped policies with limits that nobody runs into: for tests and measurements of something else, which ask more
-- often in a second than people do in a minute. Everything else is as it ships, and the chain is at work.
--
--   local relaxed = dofile("tests/lib/relaxed.lua")
--   relaxed.text("ratelimit.lua", text)                -- the file as it is written then
--   relaxed.copy(folder)                               -- policies/ as it is written then
--   local path = relaxed.config("examples/demo/moongate.lua", folder)   -- that configuration with policies/ so copied
local relaxed = {}

local MANY = 1000000000

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function relaxed.text(name, text)
  if name ~= "ratelimit.lua" then return text end
  local wide, count = text:gsub("(%l+)( *= *)%d+,( *per = )", function(unit, is, per)
    return ("%s%s%d, burst = %d,%s"):format(unit, is, MANY, MANY, per)
  end)
  if count == 0 then error("policies/ratelimit.lua is not written as it was: no limit is found in it") end
  return wide
end

function relaxed.copy(folder)
  os.execute(("mkdir -p '%s' && cp -R policies/. '%s'"):format(folder, folder))
  local path = folder .. "/ratelimit.lua"
  write(path, relaxed.text("ratelimit.lua", read(path)))
end

function relaxed.config(config, folder)
  os.execute(("rm -rf '%s' && mkdir -p '%s'"):format(folder, folder))
  relaxed.copy(folder .. "/policies")
  local text, count = read(config):gsub('"[%./]+/policies"', '"policies"')
  if count ~= 1 then error(config .. " names no policies/ of this tree") end
  write(folder .. "/moongate.lua", text)
  return folder .. "/moongate.lua"
end

return relaxed
