-- Every setting has its row: a member of the operator's structs that no field of moongate.lua fills would never be
-- read, shown or sent to a worker, and nothing else would say so.
local house = dofile("tests/house/lib.lua")

-- Members of each struct that are no settings; has_postgres and has_redis are what their URLs come
-- to.
local OTHERS = {
  config = { settings = true },
  settings = { refs = true, arena = true, has_postgres = true, has_redis = true },
  provider = {},
  egress = {},
  sink = {},
}

-- The names of a struct's members: `struct slice a, *b; char c[65];` has a, b and c.
local function members(text, struct)
  local body = text:match("\nstruct " .. struct .. " (%b{});")
  local names = {}
  for declaration in (body or ""):gsub("/%*.-%*/", ""):gmatch("([^;{}]+);") do
    local rest = declaration:gsub("%b[]", ""):gsub("^%s*struct%s+%w+", ""):gsub("^%s*unsigned%s*$", "")
    for part in (rest .. ","):gmatch("([^,]*),") do names[#names + 1] = part:match("([%w_]+)%s*$") end
  end
  return names
end

local function rows(text)
  local seen = { config = {}, settings = {}, provider = {}, egress = {}, sink = {} }
  local homes = { CONFIG = "config", SETTINGS = "settings", PROVIDER = "provider", EGRESS = "egress", SINK = "sink" }
  for home, member in text:gmatch("IN_(%u+)%(([%w_]+)%)") do
    if homes[home] then seen[homes[home]][member] = true end
  end
  for items, count in text:gmatch("LIST%(%w+, ([%w_]+), ([%w_]+)%)") do
    seen.settings[items], seen.settings[count] = true, true
  end
  for struct, member in text:gmatch("%.name = offsetof%(struct (%w+), ([%w_]+)%)") do seen[struct][member] = true end
  return seen
end

local function rule(_, text, complain)
  local seen = rows(house.read("core/server/config_schema.c"))
  for struct, others in pairs(OTHERS) do
    for _, name in ipairs(members(text, struct)) do
      if not seen[struct][name] and not others[name] then
        complain(1, ("%s.%s has no row in core/server/config_schema.c"):format(struct, name))
      end
    end
  end
end

house.rule("every setting has a row", { "core/exchange/settings.h", "core/server/config.h" }, rule)
local PROVIDER = "\nstruct provider {\n    struct slice name; /* x; */\n    bool is_http2%s;\n};\n"
house.must_fail("every setting has a row", PROVIDER:format(", is_new"))
house.must_fail("every setting has a row", "\nstruct settings {\n    char other[65];\n};\n")
house.must_pass("every setting has a row", PROVIDER:format(""))
local known = members(house.read("core/exchange/settings.h"), "settings")
house.count(#known >= 18, "the members of struct settings must be found")

os.exit(house.close("house/fields"))
