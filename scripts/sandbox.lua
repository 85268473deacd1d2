-- What a policy file sees: the language without its dangers, the words of policies, and a helpful error for the rest.
--
--   local environment = sandbox.environment()     -- one per file; set as the chunk's environment
local core, use = ...
local report = use "report"
local predicates = use "predicates"
local verbs = use "verbs"
local constructors = use "constructors"
local modules = use "modules"
local rates = use "rates"
local raise = use "raise"
local withhold = use "withhold"
local foreign = use "foreign"

local sandbox = {}

-- gsub with a function or a table is a loop here, so that it can be stopped and may wait like any other code.
local gsub_text, match_at = string.gsub, string.match_at
string.match_at = nil

function string.gsub(text, pattern, with, most)
  local kind = type(with)
  if kind == "string" or kind == "number" then return gsub_text(text, pattern, with, most) end
  if kind ~= "function" and kind ~= "table" then
    raise.error("bad_value", "string.gsub: the replacement is a text, a table or a function, got " .. kind, 2)
  end
  local out, at, count = {}, 1, 0
  local anchored = pattern:sub(1, 1) == "^"
  while at <= #text + 1 and count < (most or math.huge) do
    local found = { match_at(text, pattern, at) }
    local from, to = found[1], found[2]
    if not from then break end
    count = count + 1
    local value
    if kind == "function" then value = with(unpack(found, 3)) else value = with[found[3]] end
    if value and type(value) ~= "string" and type(value) ~= "number" then
      error("string.gsub: the replacement gave a " .. type(value), 2)
    end
    out[#out + 1] = text:sub(at, from - 1)
    out[#out + 1] = value or text:sub(from, to)
    at = to + 1
    if to < from then -- an empty match: the next character stands for itself
      out[#out + 1] = text:sub(from, from)
      at = from + 1
    end
    if anchored then break end
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out), count
end

local function pick(library, names)
  local copy = {}
  for name in names:gmatch("%S+") do copy[name] = library[name] end
  return copy
end

local function log_level(level)
  return function(format, ...)
    if type(format) ~= "string" then
      raise.error("bad_value", ("log.%s: the first argument is a text"):format(level), 2)
    end
    local text = select("#", ...) > 0 and format:format(...) or format
    core.log(level, core.is_deciding() and withhold(core.facts(), text) or text)
  end
end

local libraries = {
  string = pick(string, "byte char find format gmatch gsub len lower match rep reverse sub upper"),
  table = pick(table, "concat insert remove sort"),
  math = pick(math, "abs ceil floor fmod huge max min modf pi pow random sqrt log exp"),
  bit = pick(bit, "band bor bxor bnot lshift rshift arshift tobit tohex"),
  log = { error = log_level "error", warn = log_level "warn", info = log_level "info", debug = log_level "debug" },
}

-- Services: a name that a library does not have raises, with the nearest.
for _, name in ipairs { "http", "json", "cache", "redis", "time", "metrics", "trace" } do
  libraries[name] = setmetatable(use("services/" .. name).words, { __index = function(library, field)
    local near = report.nearest(tostring(field), report.keys(library))
    error(("%s has no '%s'%s"):format(name, tostring(field), near and " (" .. near .. ")" or ""), 2)
  end })
end

local words = {}
for name, library in pairs(libraries) do words[name] = core.proxy(name, library) end
for name, value in pairs(core.safe) do words[name] = value end
for name, value in pairs(predicates.words) do words[name] = value end
for name, value in pairs(verbs.words) do words[name] = value end
for name, value in pairs(use("disconnect").words) do words[name] = value end
for name, value in pairs(constructors.words) do words[name] = value end
for name, value in pairs(rates.words) do words[name] = value end

-- Names that people reach for, and what to do instead.
local instead = {
  pcall = "a policy that fails denies, or is skipped with on_error = \"skip\"; answers are return values",
  xpcall = "a policy that fails denies, or is skipped with on_error = \"skip\"; answers are return values",
  print = "use log.info(…)",
  os = "the time is ctx.time; policies do not touch the machine",
  io = "policies do not touch files",
  load = "policies are source, checked before they act",
  loadstring = "policies are source, checked before they act",
  coroutine = "policies need none: waiting looks like a plain call",
  allow = "the word is pass(reason); to say nothing is to have no objection",
  _G = "there are no globals to share",
}
words.require = modules.require
words.together = use("services/trace").together
for _, name in ipairs { "usage", "prompts" } do
  instead[name] = "not part of this version"
end

local function hint_for(name)
  return instead[name] or foreign.name(name) or report.nearest(tostring(name), report.keys(words))
end

local function undefined(_, name)
  local hint = hint_for(name)
  raise.error("undefined_name", ("undefined name '%s'%s"):format(tostring(name), hint and " (" .. hint .. ")" or ""), 2)
end

setmetatable(words, { __index = undefined })

local environment = {
  __index = words,
  __newindex = function(_, name)
    raise.error("global_set", ("assignment to global '%s': add 'local'"):format(tostring(name)), 2)
  end,
  __metatable = false,
}

-- Names that the file's code reads and nobody gives it, and globals that it sets, wherever they stand: a hook may not
-- run for weeks. Each { finding, text with its place, hint or nil }.
local function complaints(file, chunk)
  local list, seen = {}, {}
  for line, kind, name in core.globals(chunk):gmatch("(%d+)\t(%a+)\t([^\n]*)\n") do
    local is_wrong = kind == "set" or rawget(words, name) == nil
    if is_wrong and not seen[line .. name] then
      seen[line .. name] = true
      local place = ("%s:%s: "):format(file.path, line)
      if kind == "set" then
        list[#list + 1] = { "global_set", ("%sassignment to global '%s': add 'local'"):format(place, name) }
      else
        list[#list + 1] = { "undefined_name", ("%sundefined name '%s'"):format(place, name), hint_for(name) }
      end
    end
  end
  return list
end

-- Reports them; true when there are none.
function sandbox.check(file, chunk)
  local list = complaints(file, chunk)
  for _, complaint in ipairs(list) do report.message(unpack(complaint)) end
  return #list == 0
end

-- For describe.lua: all words, and the libraries among them.
function sandbox.names() return report.keys(words) end
function sandbox.libraries() return libraries end

function sandbox.environment() return setmetatable({}, environment) end

modules.open(sandbox.environment, function(file, chunk)
  local first = complaints(file, chunk)[1]
  if first then return first[1], first[2] .. (first[3] and " (" .. first[3] .. ")" or "") end
end)

return sandbox
