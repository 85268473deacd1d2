-- One direction: no two files call each other. Who must speak up is given a function, or a stage to feed.
local house = dofile("tests/house/lib.lua")

-- Without comments and texts.
local function code_of(text)
  return (text:gsub("/%*.-%*/", ""):gsub('"[^"\n]*"', '""'))
end

-- Public functions: a first column that is no blank, a name before a parenthesis, a brace alone on the line behind, and
-- nowhere `static`.
local function each_definition(code, visit)
  for head in ("\n" .. code):gmatch("\n([%a_][^\n;={}]*%b())\n{") do
    if not head:find("%f[%w_]static%f[^%w_]") then visit(head:match("([%w_]+)%s*%b()$")) end
  end
end

-- {path = text} → the pairs that call each other, as "a <-> b"
local function pairs_of(files)
  local owner, calls, found = {}, {}, {}
  for path, text in pairs(files) do
    each_definition(code_of(text), function(name) owner[name] = path end)
  end
  for path, text in pairs(files) do
    calls[path] = {}
    for name in code_of(text):gmatch("%f[%w_]([%w_]+)%(") do
      if owner[name] and owner[name] ~= path then calls[path][owner[name]] = name end
    end
  end
  for a, callees in pairs(calls) do
    for b in pairs(callees) do
      if calls[b][a] and a < b then found[#found + 1] = ("%s <-> %s (%s, %s)"):format(a, b, callees[b], calls[b][a]) end
    end
  end
  table.sort(found)
  return found
end

-- Not yet in one direction: net (conn, fetch), wire (detect_scan), lua (bind, calls, vm), server (supervisor, config, check).
local FLOORS = "core/base core/store core/exchange core/flow core/testkit core/ledger core/admin core/cli"

local files = {}
for _, path in ipairs(house.files(FLOORS, "%.c$")) do files[path] = house.read(path) end
local found = pairs_of(files)
house.count(#found == 0, "files that call each other:\n" .. table.concat(found, "\n"))

local samples = { ["a.c"] = "void a_do(int x)\n{\n    b_do(x);\n}\n", ["b.c"] = "void b_do(int x)\n{\n    a_do(x);\n}\n" }
house.count(#pairs_of(samples) == 1, "two that call each other must be found")
samples["b.c"] = "_Noreturn static void a_do(int x)\n{\n    other(x);\n}\nvoid b_do(int x)\n{\n    a_do(x);\n}\n"
samples["a.c"] = "void c_do(int x)\n{\n    b_do(x);\n}\n"
house.count(#pairs_of(samples) == 0, "what is static is the file's own")
samples["a.c"] = "void a_do(int x)\n{\n    b_do(x);\n}\n"
samples["b.c"] = "/* a_do(1) */\nvoid b_do(int x)\n{\n    static_do(x);\n}\n"
house.count(#pairs_of(samples) == 0, "one direction is none")

os.exit(house.close("house/calls"))
