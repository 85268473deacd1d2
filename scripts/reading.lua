-- What a file's text shows before any of it runs (core/lua/reading.h): keys that a table has twice, decisions that are
-- built and thrown away, and calls in functions whose written arguments are certain to raise when a request comes that
-- way.
--
--   reading.check(file)                  -- { path =, text = }, which compiles; report.begin has named it
--   reading.check_calls(file, policy)    -- when the whole bundle is compiled; policy: nil for a shared file
--
-- Only what can be refuted is refused: an argument that is no constant may be anything.
local core, use = ...
local report = use "report"
local facts = use "facts"
local literals = use "literals"
local trial = use "trial"

local reading = {}

local FIELDS = 5 -- of an item: kind, name, line, column, line of the first

local function each(file, wanted, act)
  if not file.items then file.handle, file.items = core.reading(file.text) end
  local items = file.items
  for i = 1, #items, FIELDS do
    if wanted[items[i]] then
      act(items[i], items[i + 1], items[i + 2], items[i + 3], items[i + 4], (i + FIELDS - 1) / FIELDS)
    end
  end
end

local verbs = { deny = true, route = true, only = true, drop = true, pass = true }

local complaints = {
  twice = function(name, line, column, first)
    report.error_at(line, column, "said_twice",
      ("'%s' stands in this table twice: what line %d says of it is lost"):format(name, first),
      "take one of them out, or give it another name")
  end,
  ["nil"] = function(name, line, column)
    report.error_at(line, column, "bad_value", ("%s = nil says nothing: what is nil is not in the table"):format(name),
      "take it out, or give it a value")
  end,
  constant = function(name, line, column)
    report.error_at(line, column, "bad_decision",
      ("%s returns a constant, which is no decision: every request that comes here gets 500"):format(name),
      "return deny(403, \"code\"), route(…), only(…), drop(…), pass(), or nothing: return")
  end,
  lost = function(name, line, column)
    local what = verbs[name] and "%s(…) was built but not returned" or "%s(…) gives a decision, which is not returned"
    report.error_at(line, column, "not_returned", what:format(name), ("write 'return %s(…)'"):format(name))
  end,
}

function reading.check(file)
  each(file, complaints, function(kind, name, line, column, first) complaints[kind](name, line, column, first) end)
end

-- A name that the file has for something of its own, as a local or a parameter, is not the library's.
local function is_own(text, name)
  return text:find("local%s[^=\n]*%f[%w_]" .. name .. "%f[^%w_]")
    or text:find("function[^\n(]*%([^)]*%f[%w_]" .. name .. "%f[^%w_]")
end

-- "did you mean 'x'?" at its end is the cure.
local function split(text)
  local said, hint = text:match("^(.-) %((did you mean .*)%)$")
  return said or text, hint
end

-- --- fields of ctx ---

-- ctx.identity.departmnt raises when a hook comes that way.
local function no_such_field(path)
  local view, name = path:match("^ctx%.(%a+)[%.:]([%a_][%w_]*)")
  local map = view and facts.fields[view]
  if map then return map[name] == nil and map, name, "ctx." .. view end
  name = path:match("^ctx[%.:]([%a_][%w_]*)")
  return facts.fields.ctx[name] == nil and facts.fields.ctx, name, "ctx"
end

local known_elsewhere = { deny = "return deny(…)", route = "return route(…)", only = "return only(…)",
  drop = "return drop(…)", pass = "return pass(…)",
  messages = "ctx.request:last_user_text() is what the user said last", text = "ctx.request:last_user_text()",
  user_id = "ctx.identity.user", body = "ctx.request:last_user_text(), or a field of ctx.request", log = "log.info(…)",
  model = "ctx.request.model", user = "ctx.identity.user",
  app = "ctx.identity.app", department = "ctx.identity.department", role = "ctx.identity.roles[\"x\"]",
  tokens = "ctx.estimate.context_tokens" }

local function check_field(path, line, column, policy)
  local map, name, view = no_such_field(path)
  if not map then return end
  local text = ("%s has no field '%s': it raises when it is read"):format(view, name)
  local hint = known_elsewhere[name] or report.nearest(name, report.keys(map))
    or (view == "ctx.identity" and "a label of your keys? name it in auth.lua: labels = { … }" or nil)
  column = column + #view + 1
  if policy and policy.on_error == "skip" then report.warn_at(line, column, "no_such_fact", text, hint)
  else report.error_at(line, column, "undefined_name", text, hint) end
end

-- --- calls ---

local function check_call(file, policy, path, line, column, index)
  local root = path:match("^[%a_][%w_]*")
  local try = trial.of(path)
  if not try or root ~= "ctx" and is_own(file.text, root) then return end
  local tokens = core.arguments(file.handle, index)
  for _, said in ipairs(tokens and try(literals.list(tokens), file, policy, line) or {}) do
    if said.warning then report.warn_at(line, column, said.finding, said.text, said.hint)
    else
      local text, hint = split(said.text)
      report.error_at(line, column, said.finding, text, said.hint or hint)
    end
  end
end

local in_functions = { call = true, field = true }

function reading.check_calls(file, policy)
  if not file.text:find("function", 1, true) then return end
  local seen, has_own_ctx = {}, file.text:find "local%s+ctx%f[^%w_]"
  each(file, in_functions, function(kind, path, line, column, _, index)
    if kind == "call" then check_call(file, policy, path, line, column, index)
    elseif not seen[path] and not has_own_ctx then
      seen[path] = true
      check_field(path, line, column, policy)
    end
  end)
  file.handle, file.items = nil, nil
end

return reading
