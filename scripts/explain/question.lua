-- What was asked, turned into a request as scripts/request.lua takes it.
--
--   local t, notes = question.read { flags = { model = "gpt-4o", as = { "sales/ana" } } }  -- words of the command line
--   local t, notes = question.read { file = { model = "gpt-4o", messages = … } }           -- a body, or a request
--   local t, notes = question.read { record = { id = "req_…", … }, key = { … } }           -- a record
--
-- With topups, those of the registry (store/topups.h), for a request that is no record and tells none of its own; with
-- now, seconds since 1970, for one that tells no time.
-- notes: what was assumed or is not known, for people. Flags add to a file or a record. Raises with a text for people.
local core, use = ...
local loaded = use "load"
local report = use "report"
local request = use "request"
local catalogue = use "catalogue"
local facts = use "facts"
local json = use "json"
local read_topups = use "explain/topups"

local question = {}

local function bad(text, ...) error(text:format(...), 0) end

-- --- --as ---

local lists = { roles = true, approvals = true }
local singular = { role = "roles", approval = "approvals", dept = "department", model = false }

local function add_identity(as, name, value)
  name = singular[name] or name
  if not lists[name] then
    as[name] = value
    return
  end
  as[name] = as[name] or {}
  table.insert(as[name], value)
end

local function apps_known() return loaded.apps and facts.apps or {} end

-- "sales/ana": a department, or an app that apps.lua knows, and a user.
local function read_as(as, text)
  if not text:find("=", 1, true) then
    local who, user = text:match("^([^/]*)/?(.*)$")
    if who ~= "" then as[apps_known()[who] and "app" or "department"] = who end
    if user ~= "" then as.user = user end
    return
  end
  for pair in text:gmatch("[^,]+") do
    local name, value = pair:match("^%s*([%w_]+)=(.*)$")
    if not name then bad("--as is written DEPARTMENT/USER or app=…,user=…,department=…,role=…, got '%s'", pair) end
    add_identity(as, name, value)
  end
end

-- --- flags ---

local aliases = { tokens = "context_tokens", ctx = "context_tokens", latency = "max_latency_ms" }

local function names_of(text)
  local list = {}
  for name in text:gmatch("[^,%s]+") do list[#list + 1] = name end
  return list
end

local readers = {}

function readers.number(name, text)
  local value = tonumber((text:gsub("_", ""):gsub("[kK]$", "000")))
  if not value then bad("--%s wants a number, got '%s'", name:gsub("_", "-"), text) end
  return value
end

function readers.boolean(name, text)
  if text == "true" or text == "" then return true end
  if text == "false" then return false end
  bad("--%s wants true or false, got '%s'", name:gsub("_", "-"), text)
end

-- name: the field; said: as the caller wrote it.
local function flag_value(name, text, said)
  if name == "uses" or name == "label" then return names_of(text) end
  if name == "time" then return request.seconds_of(tonumber(text) or text) end
  local kinds = request.fields[name]
  if not kinds then
    bad("a request has no '%s'%s", name,
      (report.nearest(name, report.keys(request.fields)) or ""):gsub("^(.+)$", ": %1"))
  end
  if kinds:find("number", 1, true) and not kinds:find("string", 1, true) then return readers.number(said, text) end
  if kinds:find("boolean", 1, true) then return readers.boolean(said, text) end
  if not kinds:find("string", 1, true) then bad("'%s' cannot be given as a word: put it into a request file", name) end
  return text
end

local function read_flags(t, flags)
  for _, name in ipairs(report.keys(flags)) do
    local value = flags[name]
    if name == "as" then
      for _, text in ipairs(value) do read_as(t.as, text) end
    elseif name == "approve" then
      for _, model in ipairs(value) do add_identity(t.as, "approvals", model) end
    elseif name == "header" then
      t.headers = t.headers or {}
      for _, text in ipairs(value) do
        local header, content = text:match("^([%w%-]+)[=:]%s*(.*)$")
        if not header then bad("--header is written NAME=VALUE, got '%s'", text) end
        t.headers[header:lower()] = content
      end
    elseif name == "set" then
      for _, text in ipairs(value) do
        local field, content = text:match("^([%w_]+)=(.*)$")
        if not field then bad("--set is written NAME=VALUE, got '%s'", text) end
        t[field] = flag_value(field, content, "set " .. field)
      end
    elseif value ~= false then
      local field = aliases[name] or name
      question.set(t, field, value == true or flag_value(field, value, name))
    end
  end
end

local in_body = { model = true, stream = true, max_tokens = true, temperature = true }

-- One field of a request, where it counts: a body that was given is changed, not passed over.
function question.set(t, field, value)
  if in_body[field] and type(t.body) == "table" then t.body[field] = value else t[field] = value end
end

function question.get(t, field)
  if in_body[field] and type(t.body) == "table" then return t.body[field] end
  return t[field]
end

-- --- a file ---

local function is_request(file)
  for _, field in ipairs { "as", "text", "body", "key", "task", "data", "api", "uses", "context_tokens", "time",
    "topups" } do
    if file[field] ~= nil then return true end
  end
  return not (file.messages or file.input or file.prompt or file.contents or file.content or file.requests)
end

-- Members that OpenAI's chats have not; a short body may be either's.
local function looks_anthropic(file)
  local tool = type(file.tools) == "table" and file.tools[1]
  return file.system ~= nil or file.stop_sequences ~= nil or file.thinking ~= nil or
    type(tool) == "table" and tool.input_schema ~= nil
end

-- Members that embeddings have not, which have an input too.
local function looks_responses(file)
  local item = type(file.input) == "table" and file.input[1]
  return file.instructions ~= nil or file.max_output_tokens ~= nil or file.reasoning ~= nil or file.store ~= nil or
    file.stream ~= nil or file.tools ~= nil or type(item) == "table" and (item.role ~= nil or item.type ~= nil)
end

local function api_of(file)
  if file.contents then return "generate_content" end
  if file.requests or file.content then return file.requests and "batch_embed_contents" or "embed_content" end
  if file.prompt then return "completions" end
  if file.input and not file.messages then return looks_responses(file) and "responses" or "embeddings" end
  return looks_anthropic(file) and "messages" or "chat"
end

local function read_file(file)
  if type(file) ~= "table" or #file > 0 then
    bad("the request file holds a JSON object: a body, or { \"as\": …, \"model\": … }")
  end
  if not is_request(file) then
    return { as = {}, body = file, api = api_of(file) }
  end
  local t = { as = {} }
  for name, value in pairs(file) do
    if not request.fields[name] then
      bad("the request file has an unknown field '%s'%s", name,
        (report.nearest(name, report.keys(request.fields)) or ""):gsub("^(.+)$", ": %1"))
    end
    t[name] = value
  end
  if type(t.as) == "string" then
    local text = t.as
    t.as = {}
    read_as(t.as, text)
  end
  return t
end

-- --- a record ---

local key_fields = { "tier", "region", "clearance", "env", "roles", "approvals" }

local function text_or_nil(value) return type(value) == "string" and value or nil end

local function add_key(t, key, notes)
  if not key then
    notes[#notes + 1] =
      "the key's roles, approvals and labels are not in the record, and the key is not in this data folder"
    return
  end
  for _, name in ipairs(key_fields) do
    local value = key[name]
    if type(value) == "string" and value ~= "" or type(value) == "table" and #value > 0 then t.as[name] = value end
  end
  for name, value in pairs(type(key.labels) == "table" and not key.labels._raw and key.labels or {}) do
    t.as[name] = value
  end
  if key.revoked == true then notes[#notes + 1] = "the key has been revoked since" end
  notes[#notes + 1] = "roles, approvals and labels are the key's of today"
end

local function add_facts(t, recorded)
  for _, name in ipairs { "task", "quality", "data", "label", "max_latency_ms", "uses", "max_tokens" } do
    local value = recorded[name]
    if value ~= nil and not (type(value) == "table" and value._raw) then t[name] = value end
  end
end

-- Records of today hold what the key said then; of older ones only the registry knows, as it is now.
local function add_recorded_key(t, identity)
  for _, name in ipairs(key_fields) do
    local value = identity[name]
    if type(value) == "string" or type(value) == "table" and not value._raw then t.as[name] = value end
  end
  for name, value in pairs(type(identity.labels) == "table" and not identity.labels._raw and identity.labels or {}) do
    t.as[name] = value
  end
  if identity.credential == "revoked" or identity.credential == "expired" then t.key = identity.credential end
end

-- What was added to its budgets then: "budget;scope" → [nano-dollars, when the first ends, how many]. What each of
-- several added is not in the record: all but one stand for the least there is.
local function add_recorded_topups(t, asked)
  local list, recorded = {}, type(asked) == "table" and type(asked.topups) == "table" and asked.topups or {}
  for _, key in ipairs(report.keys(recorded)) do
    local budget, scope = key:match("^(.*);([^;]*)$")
    local nano, ends_at, count = recorded[key][1], recorded[key][2], recorded[key][3] or 1
    for i = 1, count do
      list[#list + 1] = { id = "topup_recorded", budget = budget, scope = scope, nano = i > 1 and 1 or nano - count + 1,
        starts_at = 0, ends_at = ends_at }
    end
  end
  t.topups = #list > 0 and list or nil
end

local function names_of_missing(again)
  local missing = again and again.missing
  return missing and not missing._raw and #missing > 0 and table.concat(missing, ", ") or nil
end

-- What a request of that dialect is called, where a chat is one in each.
local words_in = {
  chat = { anthropic = "messages", responses = "responses", gemini = "generate_content" },
  count_tokens = { responses = "input_tokens", gemini = "gemini_count_tokens" },
  embeddings = { gemini = "embed_content" },
}
local function word_of(record)
  if record.api == "chat" and record.dialect == "gemini" and record.stream then return "stream_generate_content" end
  local words = type(record.api) == "string" and words_in[record.api] or {}
  return words[record.dialect] or text_or_nil(record.api)
end

local function read_record(record, key, notes, again)
  local is_whole = type(record.facts) == "table" and record.facts.time_ns ~= nil
  local t = { as = {}, api = word_of(record),
    model = text_or_nil(record.model_asked) or text_or_nil(record.model) }
  local identity = type(record.identity) == "table" and record.identity or {}
  for _, name in ipairs { "app", "department", "user", "team" } do t.as[name] = text_or_nil(identity[name]) end
  if not identity.key_id then
    t.key = identity.credential == "unknown" and "unknown" or "missing"
    notes[#notes + 1] = "no key was known for this request"
  else
    t.as.id = identity.key_id
    if is_whole then add_recorded_key(t, identity) else add_key(t, key, notes) end
  end
  local estimate = type(record.estimate) == "table" and record.estimate or {}
  t.input_tokens, t.output_tokens = tonumber(estimate.input_tokens), tonumber(estimate.output_tokens)
  t.stream = record.stream == true or nil
  if type(record.time) == "string" then t.time = request.seconds_of((record.time:gsub("%.%d+Z$", "Z"))) end
  if type(record.facts) == "table" then add_facts(t, record.facts) end
  add_recorded_topups(t, record.asked)
  local missing = names_of_missing(again)
  if missing then
    notes[#notes + 1] = "not in the record, and decided as if it were not there: " .. missing
  end
  if is_whole then return t end
  notes[#notes + 1] = record.facts and "not in the record: the text, and headers other than the hints"
    or "not in the record: text, tools, attachments, and the hints (task, quality, max_latency_ms, data, label)"
  return t
end

-- --- what is left open ---

-- The body of a request without a good key is not read: what it asked for stands in no record.
local function is_unread(record)
  return not text_or_nil(record.model) and type(record.identity) == "table" and record.identity.credential ~= nil
end

-- An app for callers that name none, where apps.lua would refuse them: the one of their department, else one that
-- assumes nothing about its requests.
local function assume_app(t, notes)
  if t.as.app ~= nil or t.key or not next(apps_known()) then return end
  for _, definition in ipairs(loaded.definitions) do
    if definition.kind == "auth" and definition.spec.default_app then return end
  end
  local best, own, plain
  for _, name in ipairs(report.keys(apps_known())) do
    local app = apps_known()[name]
    local is_own, is_plain = t.as.department and app.department == t.as.department, next(app.defaults) == nil
    if is_own and is_plain then best = best or name end
    if is_own then own = own or name end
    if is_plain then plain = plain or name end
  end
  local app = best or own or plain
  if not app then return end
  t.as.app = app
  notes[#notes + 1] = ("app %s is assumed: --as app=… names another"):format(app)
end

local function assume_model(t, notes)
  if question.get(t, "model") ~= nil or t.api == "models" then return end
  local auto = catalogue.models.auto and "auto" or catalogue.sorted[1] and catalogue.sorted[1].name
  question.set(t, "model", auto)
  notes[#notes + 1] = ("model %s is assumed: --model names another"):format(tostring(auto))
end

function question.read(q)
  local notes, t = {}, { as = {} }
  if q.file then t = read_file(q.file) elseif q.record then t = read_record(q.record, q.key, notes, q.again) end
  t.as = t.as or {}
  if q.flags then q.spent, q.flags.spent = q.flags.spent, nil end
  read_flags(t, q.flags or {})
  if not q.record then assume_app(t, notes) end
  if not q.record or is_unread(q.record) then assume_model(t, notes) end
  if t.topups then t.topups = json.raw((read_topups { topups = t.topups, now = t.time or q.now or 0 }))
  elseif not q.record and q.topups then t.topups = q.topups end
  return t, notes
end

return question
