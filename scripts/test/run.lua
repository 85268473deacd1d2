-- Runs specs with busted: what `moongate test` does once the words of its command line are read.
--
-- Its arguments are `engine` (core/testkit/engine.c) and the options: { words, policies, is_json, is_coloured,
-- has_coverage; bundle, on_test, on_failure }: with a bundle, the text of each policy file by name, the specs judge
-- that before it goes live, and nothing is printed. Gives back 0 when all passed, 1 when something failed,
-- 2 when nothing could be run.
local engine, options = ...

local PASSED, FAILED, UNUSABLE = 0, 1, 2

local loaded = {}
local function use(name)
  if loaded[name] == nil then
    local path = "scripts/" .. name .. ".lua"
    loaded[name] = assert(loadstring(engine.script(path), "@" .. path))(engine, use) or true
  end
  return loaded[name]
end

local function complain(text, cure)
  if options.on_failure then
    options.on_failure(nil, nil, nil, text .. (cure and " (" .. cure .. ")" or ""))
    return UNUSABLE
  end
  io.stderr:write("error: ", text, "\n", cure and "  = help: " .. cure .. "\n" or "")
  return UNUSABLE
end

-- busted's options whose value may be the next word.
local takes_value = {}
for name in ([[-p --pattern --exclude-pattern -e -o --output -C --directory -f --config-file -t --tags --exclude-tags
  --filter --filter-out -m --lpath --cpath -r --run --repeat --seed --lang --loaders --helper -Xoutput
  -Xhelper]]):gmatch("%S+") do takes_value[name] = true end

-- The words as paths and as busted's options.
local function split(words)
  local paths, rest, i = {}, {}, 1
  while i <= #words do
    local word = words[i]
    if word:sub(1, 1) ~= "-" then paths[#paths + 1] = word
    else
      rest[#rest + 1] = word
      if takes_value[word] and words[i + 1] then
        i = i + 1
        rest[#rest + 1] = words[i]
      end
    end
    i = i + 1
  end
  return paths, rest
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- "x/policies/specs/a_spec.lua" → "x/", "policies/specs/a_spec.lua": a spec names its policies from the folder above
-- theirs. Nothing when the path is not of that kind.
local function project_of(path)
  local folder, name, rest = path:match("^(.-)([^/]+)/specs(.*)$")
  if not folder or (rest ~= "" and rest:sub(1, 1) ~= "/") then return nil end
  return folder, name .. "/specs" .. rest
end

-- Where to stand and what to run there; nil and a complaint when that cannot be said.
local function plan(paths)
  if #paths == 0 then paths = { (options.policies or "policies"):gsub("/+$", "") .. "/specs" } end
  local root, list, seen = nil, {}, {}
  for _, path in ipairs(paths) do
    if exists(path .. "/moongate.lua") then path = path:gsub("/+$", "") .. "/policies/specs" end
    if not exists(path) then
      return nil, ("there is no %s"):format(path), "specs lie in <policies>/specs; `moongate help test` says more"
    end
    local folder, rest = project_of(path)
    folder = folder or ""
    if root and folder ~= root then return nil, "specs of more than one project", "run them one after the other" end
    root = folder
    rest = rest or path
    if not seen[rest] then list[#list + 1] = rest end
    seen[rest] = true
  end
  return root, list
end

-- --- busted ---

-- What os.exit raises here: only busted's own call, from outside any test, ends the run.
local Exit = { __tostring = function(exit) return exit.place .. ": os.exit was called, which no spec may" end }
os.exit = function(code)
  local caller = debug.getinfo(2, "Sl")
  error(setmetatable({ code = code, place = caller.short_src .. ":" .. caller.currentline }, Exit), 0)
end

local function busted_words(paths, rest)
  local words = {}
  for _, word in ipairs(rest) do words[#words + 1] = word end
  for _, path in ipairs(paths) do words[#words + 1] = path end
  words[0] = "moongate test"
  return words
end

local function preload_kit()
  local files = use "test/files"
  engine.read, engine.folder = files.read, files.folder
  if options.bundle then
    engine.bundle = { folder = options.policies:match("([^/]+)/*$"), files = options.bundle }
    _G.print = function() end
  end
  if options.has_coverage then use("test/coverage").watch() end
  use("test/leaks").watch(engine)
  package.preload["moongate.test"] = function() return use "test/kit" end
  package.preload["moongate.output"] = function() return use "test/output" end
end

local function run(root, paths, rest)
  local has_busted, why = pcall(require, "busted.core")
  if not has_busted then
    if not tostring(why):find("module 'busted.core' not found", 1, true) then return complain(tostring(why)) end
    return complain("busted is not installed", "apt-get install lua-busted")
  end
  if root ~= "" then
    local moved, wrong = require("lfs").chdir(root)
    if not moved then return complain(wrong) end
  end
  preload_kit()
  options.root = root
  use("test/output").options = options
  _G.arg = busted_words(paths, rest)
  -- Not from a file, so that busted takes its words from `arg` and ends through os.exit.
  local start = assert(loadstring("require 'busted.runner' { standalone = false, output = 'moongate.output' }",
    "=test"))
  local ok, ended = xpcall(start, function(raised)
    return getmetatable(raised) == Exit and raised or debug.traceback(tostring(raised), 2)
  end)
  if not ok and getmetatable(ended) ~= Exit then return complain(ended) end
  -- busted loads this once its own options are understood.
  if not package.loaded["busted.execute"] and not (ok or ended.code == 0) then return UNUSABLE end
  return (ok or ended.code == 0) and PASSED or FAILED
end

local paths, rest = split(options.words)
local root, list, cure = plan(paths)
if not root then return complain(list, cure) end
return run(root, list, rest)
