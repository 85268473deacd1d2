-- Who may include whom: a room its own floor and those below, outside libraries only where they are meant to be.
-- The floors and their order are the Makefile's FLOORS; nothing may include in a circle.
local house = dofile("tests/house/lib.lua")

-- An outside header (pattern) and the only folders that may see it. What is looser than the house says stands here. The
-- test kit keeps the specs' own Lua states.
local KEPT = {
  { "^lua%.h", "core/lua/", "core/testkit/" }, { "^lauxlib%.h", "core/lua/", "core/testkit/" },
  { "^lualib%.h", "core/lua/", "core/testkit/" }, { "^luajit%.h", "core/lua/" },
  { "^event2/", "core/net/" }, { "^event%.h", "core/net/" },
  { "^curl/", "core/net/" }, { "^hiredis/", "core/net/" },
  { "^sqlite3%.h", "core/store/" }, { "^libpq%-fe%.h", "core/store/" },
}

-- Headers of ours that show the inside of their folder, beside those that say so by their name: room_inner.h.
local INSIDE = { ["lua/eval.h"] = true, ["lua/bind.h"] = true, ["lua/calls.h"] = true }

local level, count = {}, 0
for floor in house.read("Makefile"):match("\nFLOORS := ([^\n]*)"):gmatch("%S+") do
  count = count + 1
  level[floor] = count
end

local function each_include(text, visit)
  house.each_line(text, function(line, number)
    local own = line:match('^%s*#%s*include%s*"([^"]+)"')
    local outside = line:match("^%s*#%s*include%s*<([^>]+)>")
    if own or outside then visit(own, outside, number) end
  end)
end

local sources = house.files("core", "%.[ch]$")

house.rule("no upward include", sources, function(path, text, complain)
  local mine = level[path:match("^core/([^/]+)/")]
  if not mine then return end -- core/main.c knows everything
  each_include(text, function(own, _, number)
    if not own then return end
    local theirs = level[own:match("^([^/]+)/")]
    if not theirs then
      complain(number, 'includes are written from core/: "' .. own .. '" names no floor')
    elseif theirs > mine then
      complain(number, path:match("^core/([^/]+)/") .. " must not know " .. own:match("^([^/]+)/"))
    end
  end)
end)
house.must_fail("no upward include", '#include "net/loop.h"\n', "core/wire/sse.c")
house.must_fail("no upward include", '#include "sse.h"\n', "core/wire/sse.c")
house.must_pass("no upward include", '#include "base/buf.h"\n#include "wire/json.h"\n', "core/wire/sse.c")

local function is_among(path, folders)
  for i = 2, #folders do
    if path:sub(1, #folders[i]) == folders[i] then return true end
  end
  return false
end

house.rule("libraries in their rooms", sources, function(path, text, complain)
  each_include(text, function(_, outside, number)
    for _, kept in ipairs(KEPT) do
      if outside and outside:find(kept[1]) and not is_among(path, kept) then
        complain(number, "<" .. outside .. "> belongs to " .. table.concat(kept, ", ", 2))
      end
    end
  end)
end)
house.must_fail("libraries in their rooms", "#include <lua.h>\n", "core/flow/decide.c")
house.must_fail("libraries in their rooms", "# include <event2/event.h>\n", "core/store/ledger.c")
house.must_fail("libraries in their rooms", "#include <curl/curl.h>\n", "core/flow/call.c")
house.must_fail("libraries in their rooms", "#include <luajit.h>\n", "core/testkit/engine.c")
house.must_pass("libraries in their rooms", "#include <lua.h>\n", "core/testkit/engine.c")

house.rule("the inside of a folder stays there", sources, function(path, text, complain)
  each_include(text, function(own, _, number)
    if own and (INSIDE[own] or own:find("_inner%.h$")) and path:match("^core/(.*/)") ~= own:match("^.*/") then
      complain(number, '"' .. own .. '" is for the files beside it')
    end
  end)
end)
house.must_fail("the inside of a folder stays there", '#include "lua/eval.h"\n', "core/testkit/watch.c")
house.must_fail("the inside of a folder stays there", '#include "wire/json_inner.h"\n', "core/lua/bind_json.c")
house.must_fail("the inside of a folder stays there", '#include "flow/relay/relay_inner.h"\n', "core/flow/send.c")
house.must_pass("the inside of a folder stays there", '#include "net/conn_inner.h"\n', "core/net/conn_read.c")
house.must_pass("the inside of a folder stays there", '#include "lua/eval.h"\n', "core/lua/policy.c")

-- --- the map: core/README.md has a row a floor, and in it each room by its header's name ---

local map = {}
for floor, row in house.read("core/README.md"):gmatch("\n| `(%w+)` |([^\n]*)") do
  map[floor] = {}
  for words in row:gmatch("`([^`]*)`") do
    for word in words:gmatch("%S+") do map[floor][word] = true end
  end
end

-- A folder's rooms may stand there by themselves; the folder does, as `folder/`.
house.rule("each room stands in the map", house.files("core", "^core/%w+/.*%.h$"), function(path, _, complain)
  local floor, folder, room = path:match("^core/(%w+)/(.-/?)([^/]*)%.h$")
  local is_inside = room:find("_inner$") or room:find("^bind") or room == floor -- of the floor itself
  local name = folder ~= "" and folder:match("^[^/]*/") or room
  if not is_inside and not (map[floor] and map[floor][name]) then
    complain(1, "core/README.md has no `" .. name .. "` in the row of " .. floor)
  end
end)
house.must_fail("each room stands in the map", "", "core/base/unheard_of.h")
house.must_fail("each room stands in the map", "", "core/wire/arena.h")
house.must_fail("each room stands in the map", "", "core/base/unheard_of/arena.h")
house.must_pass("each room stands in the map", "", "core/base/arena.h")
house.must_pass("each room stands in the map", "", "core/flow/relay/relay.h")

local rooms = {}
for _, path in ipairs(sources) do
  local floor, room = path:match("^core/(%w+)/.-([^/]*)%.[ch]$")
  if floor then rooms[floor .. "/" .. room] = true end
end

-- Names with a star, a slash or a dot are of several files, or no rooms; those of parts may stand a folder deeper.
local function is_room(floor, word) return word:find("[*/.]") ~= nil or rooms[floor .. "/" .. word] == true end

local strays = {}
for floor, words in pairs(map) do
  for word in pairs(words) do
    if not is_room(floor, word) then strays[#strays + 1] = floor .. "/" .. word end
  end
end
house.count(#strays == 0, "what the map names is there: " .. table.concat(strays, " "))
house.count(not is_room("base", "unheard_of"), "a name in the map that is no room must be found")

-- Depth-first over the include graph; the first circle found comes back as "a -> b -> a".
local function circle(graph)
  local state, trail = {}, {}
  local function walk(node)
    if state[node] == "done" then return nil end
    trail[#trail + 1] = node
    if state[node] == "open" then
      local from = 1
      while trail[from] ~= node do from = from + 1 end
      return table.concat(trail, " -> ", from)
    end
    state[node] = "open"
    for _, next_node in ipairs(graph[node] or {}) do
      local found = walk(next_node)
      if found then return found end
    end
    state[node] = "done"
    trail[#trail] = nil
  end
  local nodes = {}
  for node in pairs(graph) do nodes[#nodes + 1] = node end
  table.sort(nodes)
  for _, node in ipairs(nodes) do
    local found = walk(node)
    if found then return found end
  end
end

local graph = {}
for _, path in ipairs(house.files("core", "%.h$")) do
  local list = {}
  each_include(house.read(path), function(own) if own then list[#list + 1] = own end end)
  graph[path:gsub("^core/", "")] = list
end
local found = circle(graph)
house.count(not found, "headers in a circle: " .. tostring(found))
house.count(circle { a = { "b" }, b = { "c" }, c = { "a" } } ~= nil, "a circle of three must be found")
house.count(circle { a = { "b", "c" }, b = { "c" }, c = {} } == nil, "a diamond is no circle")

-- A header that needs what its includer happened to include first is a trap: each must compile alone.
local function compiles(paths)
  local build = os.getenv("B") or "build"
  local command = house.read(build .. "/flags"):gsub("^= ", ""):gsub("\n", "")
  local said = house.lines_of(command .. " -fsyntax-only -x c " .. table.concat(paths, " ") .. " 2>&1 && echo fine")
  if said[#said] == "fine" then return true end
  return false, table.concat(said, "\n")
end
local ok, said = compiles(house.files("core", "%.h$"))
house.count(ok, "each header compiles alone:\n" .. tostring(said))
local sample = os.tmpname()
local file = assert(io.open(sample, "w"))
file:write("void room_verb(struct slice *s, size_t n);\n")
file:close()
house.count(not compiles { sample }, "a header that needs another must be found")
os.remove(sample)

os.exit(house.close("house/floors"))
