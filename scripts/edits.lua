-- ctx.request:set(field, value, reason): changes of what the provider will see,
-- for fields that are a policy's to choose.
--
--   ctx.request:set("max_tokens", 512, "answers of interns are short")  -- the caller reads it in x-moongate-max-tokens
--   ctx.request:set("temperature", nil)                                 -- nil takes the field out
--
--   edits.bound_output(f, 4096, policy, reason)   -- no answer is longer: added where the request has none, and
--                                                 -- whoever sets max_tokens afterwards sets at most this
--
-- Everything else in the body is forwarded byte for byte as it came.
local core, use = ...
local report = use "report"
local schema = use "schema"
local json = use "json"
local notes = use "notes"
local raise = use "raise"

local edits = {}

-- Is the answer a text, as long as max_tokens lets it be? Else it is vectors, scores, pictures, sound.
local written = { chat = true, completions = true, count_tokens = true }
function edits.is_written(f) return written[f.api] or false end

local function count(value) return type(value) == "number" and value >= 1 and value % 1 == 0 and value <= 2 ^ 40 end
local function number(value) return type(value) == "number" and value == value and math.abs(value) < math.huge end
local function whole(value) return number(value) and value % 1 == 0 and math.abs(value) <= 2 ^ 53 end
local function text(value) return type(value) == "string" and #value <= 1024 end
local function boolean(value) return type(value) == "boolean" end
local function texts(value)
  if type(value) ~= "table" then return text(value) end
  for _, one in ipairs(value) do
    if not text(one) then return false end
  end
  return #value > 0
end

local generation = { max_tokens = { count, "a whole number from 1" }, temperature = { number, "a number" },
  top_p = { number, "a number" }, presence_penalty = { number, "a number" }, frequency_penalty = { number, "a number" },
  seed = { whole, "a whole number" }, stop = { texts, "a text or a list of texts" },
  reasoning_effort = { text, "a text" }, verbosity = { text, "a text" },
  parallel_tool_calls = { boolean, "true or false" }, store = { boolean, "true or false" } }
local any = { user = { text, "a text" }, safety_identifier = { text, "a text" }, prompt_cache_key = { text, "a text" },
  service_tier = { text, "a text" } }

local instead = {
  model = "return route(…) chooses what is called",
  messages = "what was said is not changed; redaction masks parts of it",
  stream = "how the answer comes is the caller's choice",
  n = "how many answers come is the caller's choice",
  max_completion_tokens = "max_tokens stands for both spellings",
}

local names = report.keys(generation)
for name in pairs(any) do names[#names + 1] = name end

-- Raises when a policy may not set that, or not to this.
function edits.check(field, value)
  local kind = generation[field] or any[field]
  if not kind then
    local hint = instead[field] or report.nearest(tostring(field), names) or table.concat(names, ", ")
    raise.error("bad_value",
      ("ctx.request:set: '%s' is no field that a policy may set (%s)"):format(tostring(field), hint), 0)
  end
  if value ~= nil and not kind[1](value) then
    raise.error("bad_value", ("ctx.request:set: '%s' is %s, got %s"):format(field, kind[2], schema.kind_of(value)), 0)
  end
end

-- The header for the caller, when it gets less than it may think.
local function note_of(f, value, policy, reason)
  local before = f.max_tokens
  if not value or (before and before <= value) then return nil end
  local why = ("%s%s"):format(policy.name, reason and ": " .. reason or ""):gsub("[%c]", " ")
  return ("%d; %s by %s"):format(value, before and "lowered" or "added", why:sub(1, 200))
end

-- True when it had to be added.
function edits.bound_output(f, most, policy, reason)
  core.bound_output(math.max(1, most))
  if f.max_tokens then return false end
  core.edit("max_tokens", json.encode(most))
  core.note_max_tokens(note_of(f, most, policy, reason))
  return true
end

local function set_max_tokens(f, value, policy, reason)
  local bound = core.output_bound()
  if bound and not (value and value <= bound) then value = bound end
  core.edit("max_tokens", value and json.encode(value) or "")
  core.set_max_tokens(value, note_of(f, value, policy, reason))
  f.max_tokens, f.output_tokens, f.context_tokens = nil, nil, nil
end

function edits.set(view, field, value, reason)
  core.check_ctx(view)
  edits.check(field, value)
  if reason ~= nil and type(reason) ~= "string" then
    raise.error("bad_decision", "ctx.request:set(field, value, reason): the reason is a text", 0)
  end
  local f = core.facts()
  local policy = f._policy
  local shown = value == nil and "taken out" or json.encode(value)
  notes.note(f, policy, field, "set", reason and shown .. ": " .. reason or shown, policy.mode, policy.hook_line)
  if policy.mode == "observe" or f._quiet then return end
  if generation[field] and not edits.is_written(f) then return end
  if field == "max_tokens" then return set_max_tokens(f, value, policy, reason) end
  core.edit(field, value ~= nil and json.encode(value) or "")
  if field == "temperature" then
    core.set_temperature(value)
    f.temperature = nil
  end
end

return edits
