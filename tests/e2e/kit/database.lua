-- What stands in a gateway's SQLite files, also while it writes them.
--
--   database.rows(g.dir:path("data/registry.db"), "SELECT id FROM credential")     -- { { id = "key_…" }, … }
--   database.value(path, "SELECT count(*) FROM credential")                        -- the first row's only column, as a number
--   database.execute(path, "UPDATE records SET cost_nano = 0")               -- what nobody should do
--   local release = database.lock(path)                                      -- others wait, until release()
local sqlite = require("luasql.sqlite3").sqlite3()

local database = {}

-- A statement without rows gives a number where one with them gives a cursor.
local function rows_of(result)
  local rows = {}
  if type(result) ~= "userdata" then return rows end
  local row = result:fetch({}, "a")
  while row do
    rows[#rows + 1] = row
    row = result:fetch({}, "a")
  end
  result:close()
  return rows
end

function database.rows(path, sql)
  local db = assert(sqlite:connect(path))
  rows_of(db:execute("PRAGMA busy_timeout = 5000"))
  local result, why = db:execute(sql)
  local rows = rows_of(result)
  db:close()
  if not result then error(path .. ": " .. tostring(why), 2) end
  return rows
end

function database.value(path, sql)
  local _, value = next(database.rows(path, sql)[1])
  return tonumber(value)
end

database.execute = database.rows

-- Nobody else writes to it until the function that comes back is called.
function database.lock(path)
  local db = assert(sqlite:connect(path))
  assert(db:execute("BEGIN IMMEDIATE"))
  return function()
    db:execute("ROLLBACK")
    db:close()
  end
end

return database
