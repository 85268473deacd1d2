-- The globals that a compiled chunk reads and sets, in all its functions: "12\tget\tpcall" a line. Runs in a state of
-- its own (core/lua/globals.c) and only looks at the bytecode. Gives a function (chunk) → text.
local util = require "jit.util"

-- The opcodes of this LuaJIT: the instructions of known code that name "x".
local function opcode_of(text)
  local known = loadstring(text)
  for pc = 1, util.funcinfo(known).bytecodes - 1 do
    local ins = util.funcbc(known, pc)
    if util.funck(known, -bit.rshift(ins, 16) - 1) == "x" then return bit.band(ins, 0xff) end
  end
end
local kinds = { [opcode_of "return x"] = "get", [opcode_of "x = ..."] = "set" }

local PLACES_MAX = 20 -- of one name

local function walk(proto, out, seen)
  local info = util.funcinfo(proto)
  for pc = 1, info.bytecodes - 1 do
    local ins = util.funcbc(proto, pc)
    local kind = kinds[bit.band(ins, 0xff)]
    if kind then
      local name = util.funck(proto, -bit.rshift(ins, 16) - 1)
      local count = (seen[kind][name] or 0) + 1
      seen[kind][name] = count
      if count <= PLACES_MAX then
        out[#out + 1] = ("%d\t%s\t%s\n"):format(util.funcinfo(proto, pc).currentline, kind, tostring(name))
      end
    end
  end
  for index = -1, -info.gcconsts, -1 do
    local constant = util.funck(proto, index)
    if type(constant) == "proto" then walk(constant, out, seen) end
  end
end

return function(chunk)
  local out = {}
  walk(chunk, out, { get = {}, set = {} })
  return table.concat(out)
end
