-- What `when` and `unless` say: an author's table, or function(ctx), read once into data. Whoever tests, orders, spells
-- or changes a condition works on this and never reads the table again.
--
--   local when = condition.read({ department = "sales", context_tokens = gt(1000) }, path, "access/no-sales")
--   when.terms        -- { { key = "context_tokens", op = "gt", values = { 9 } }, { key = "app", … } }: all must hold
--   when.called       -- set of targets, where the key `called` stands in it: a filter on what is called, and no test
--   condition.compile(…).test(f)                     -- read, with its test beside it; nil: it always holds
--
-- A term: { key, op, values, many_valued, opaque, path }
--   op             one_of none_of like gt ge lt le between within at_least any; clock (hours, days, zone together),
--                  share, function. within: from the first on, before the second: after and before are one term, of
--                  the fact `time`
--   keys           where it stands in the author's table, if that is not under its key: { "headers", "x-team" }
--   values         what is compared with, models under their own names; of a clock or share by key: { hours = { … } }
--   written        the values as the author wrote them, where that is otherwise
--   many_valued    several values may be there at once, and one of them is enough: not "a" does not mean "b"
--   opaque         only the same is the same
--   path           where it stands, for scripts/report.lua
--   targets        of `called`: the names of the targets that it means
--   salt, test, fn what a share is drawn by, what an opaque term is tested by, the author's function
local core, use = ...
local report = use "report"
local schema = use "schema"
local predicates = use "predicates"
local catalogue = use "catalogue"
local facts = use "facts"
local clock = use "clock"
local units = use "units"
local foreign = use "foreign"
local test = use "condition/test"
local sub = report.sub

local condition = {}

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

local function is_plain(value) return type(value) == "table" and not getmetatable(value) end

-- --- what each key may be compared with ---

-- A model may be named by its own name or an alias; a dated snapshot is only one of a model's faces.
function condition.check_model(value, path)
  local known = type(value) == "string" and catalogue.names[value]
  if not known then
    report.at(path, "unknown_model",
      ("no model %s in policies/models.lua"):format(schema.kind_of(value):gsub("^the text ", "")),
      type(value) == "string" and value:find("*", 1, true) and ("write like %q"):format(value)
        or report.nearest(tostring(value), function() return report.keys(catalogue.names) end))
    return nil
  end
  if known.snapshot then
    report.at(path, "unknown_model", ("'%s' is a snapshot: name its model, '%s'"):format(value, known.model.name))
    return nil
  end
  return known.model.name
end

-- check: of one value; ops beside one_of; what is said of others.
local function kind(check, ops, refusal) return { check = check, ops = set_of(ops), refusal = refusal } end

local function text_kind(check)
  return kind(check, { "none_of", "like" }, "a text is compared with a constant, a list, isnt, none_of, like or any")
end

local function members_kind(check, what)
  local members = kind(check, { "none_of" }, ("%s is compared with %s, a list or none_of"):format(what,
    what == "contains" and "a text" or "a name"))
  members.is_many_valued = true
  return members
end

-- A text is compared as it is; what stands in it for something else is a predicate.
local function check_name(value, path)
  local meant = type(value) == "string" and foreign.condition(value)
  if not meant then return schema.text(value, path) end
  report.at(path, "bad_predicate", ("'%s' would be compared letter by letter"):format(value), "write " .. meant)
end

-- An app that apps.lua does not list is refused before anybody asks a rule about it.
local function check_app(value, path)
  if not check_name(value, path) then return nil end
  if not facts.apps or facts.apps[value] then return value end
  local names = report.keys(facts.apps)
  report.at(path, "bad_name", ("app '%s' is not in policies/apps.lua"):format(value),
    report.nearest(value, names) or ("the apps are: %s"):format(table.concat(names, ", ", 1, math.min(#names, 8))))
end

local text = text_kind(check_name)
local number = kind(schema.number, { "none_of", "gt", "ge", "lt", "le", "between" },
  "a number is compared with a constant, gt, ge, lt, le, between or none_of")

-- A text of the key, which may be one of the data classes.
local clearance = text_kind(schema.text)
clearance.ops.at_least = true

local uses_names = { unpack(test.uses_names) }
table.sort(uses_names)

local kinds = {
  role = members_kind(schema.text, "a role"),
  label = members_kind(schema.text, "a data label"),
  uses = members_kind(schema.choice(uses_names), "uses"),
  contains = members_kind(schema.text, "contains"),
  model = text_kind(condition.check_model),
  api = text_kind(schema.choice { "chat", "completions", "embeddings", "count_tokens", "images", "speech",
    "transcriptions", "translations", "moderations", "rerank", "files", "batches", "conversations" }),
  task = text,
  quality = text,
  app = text_kind(check_app),
  data = kind(schema.class, { "none_of", "at_least" },
    "a data class is compared with a constant, a list, at_least or none_of"),
  clearance = clearance,
  stream = { check = schema.boolean, is_constant = true },
  approved = { check = schema.boolean, is_constant = true },
  break_glass = { check = schema.boolean, is_constant = true },
  grant_purpose = text,
  prompt_status = text_kind(schema.choice { "approved", "archived", "review", "draft", "none" }),
}
for _, name in ipairs { "department", "user", "team", "tier", "region", "env", "session", "prompt",
  "prompt_version", "prompt_label", "prompt_sha256" } do
  kinds[name] = text
end
for _, name in ipairs { "context_tokens", "input_tokens", "output_tokens", "max_tokens", "max_latency_ms" } do
  kinds[name] = number
end

-- --- one key ---

local function refuse(path, op, allowed)
  report.at(path, "bad_predicate", ("%s does not fit here: %s"):format(op, allowed))
end

-- The values of a constant, a list or none_of, checked one by one, and as they were written.
local function values_of(value, path, check)
  local predicate = predicates.of(value)
  local list = predicate and predicate.value or value
  if type(list) ~= "table" then list = { list } end
  local checked, written = {}, {}
  for i, one in ipairs(list) do
    checked[i] = check(one, (predicate or type(value) ~= "table") and path or sub(path, i))
    if checked[i] == nil then return nil end
    written[i] = one
  end
  schema.check_twice(written, path)
  if #checked == 0 then
    report.at(path, "bad_value", "expected a value, a list or a predicate, got " .. schema.kind_of(value))
    return nil
  end
  return checked, written
end

local function is_same_list(a, b)
  for i, value in ipairs(a) do
    if b[i] ~= value then return false end
  end
  return true
end

local function add_values(term, value, path, check)
  local written
  term.values, written = values_of(value, path, check)
  if not term.values then return nil end
  if not is_same_list(term.values, written) then term.written = written end
  return term
end

-- contains = { "ignore previous instructions", "prj-####" }: words, phrases and masks in what did not come with the
-- application, all at once (core/wire/keywords.h).
local function add_search(term, path)
  local keywords, why = core.keywords(term.values)
  if not keywords then return report.at(path, "bad_value", why) end
  local is_wanted = term.op == "one_of"
  function term.test()
    local search, found = core.keyword_search(keywords), nil
    while found == nil do found = core.keyword_step(search) end
    return found == is_wanted
  end
  return term
end

-- --- facts that have names of their own: headers = { ["x-team"] = "blue" }, tags = { grade = "a" } ---

local named = {}

function named.headers(name, path)
  local known = schema.header(name, path)
  return known and facts.declare_header(known), text
end

-- All that some app says of a tag, by the tag's name.
local function known_tags()
  local known = {}
  for _, app in pairs(facts.apps or {}) do
    for tag, value in pairs(app.tags or {}) do
      known[tag] = known[tag] or {}
      known[tag][value] = true
    end
  end
  return known
end

function named.tags(name, path)
  local known = known_tags()
  local values = known[name]
  if not values then
    report.at(path, "bad_name", ("no app in policies/apps.lua has the tag '%s'"):format(name),
      report.nearest(name, report.keys(known)))
    return nil
  end
  return facts.declare_tag(name), text_kind(function(value, at)
    if not check_name(value, at) or values[value] then return value end
    report.at(at, "bad_name", ("no app in policies/apps.lua has the tag %s = '%s'"):format(name, value),
      report.nearest(value, report.keys(values)))
  end)
end

local absent = {
  identity = "fields of the identity stand in it as they are: when = { department = \"sales\" }",
  request = "fields of the request stand in it as they are: when = { model = \"…\" }",
  route = "to act on a target that a rule chooses, write called = \"…\"",
}

-- nil after reporting.
local function read_key(key, value, path, of)
  of = of or kinds[key] or (facts.labels[key] and text)
  if not of then
    report.at(path, "unknown_condition", ("unknown condition '%s'"):format(tostring(key)),
      absent[key] or type(key) == "number" and "conditions have names: when = { department = \"sales\" }"
        or report.nearest(key, condition.names())
      or "a label of your keys? name it in auth.lua: labels = { … }")
    return nil
  end
  local predicate = predicates.of(value)
  local op = predicate and predicate.op or "one_of"
  local term = { key = key, op = op, values = {}, many_valued = of.is_many_valued, path = path }
  if op == "any" then return term end
  if of.is_constant then
    if of.check(value, path) == nil then return nil end
    term.values[1] = value
    return term
  end
  if op == "one_of" or op == "none_of" then
    term = add_values(term, value, path, of.check)
    return term and key == "contains" and add_search(term, path) or term
  end
  if not of.ops[op] then return refuse(path, op, of.refusal) end
  if op == "between" then
    term.values = { predicate.value[1], predicate.value[2] }
  else
    term.values[1] = predicate.value
  end
  return term
end

local function read_named(field, value, path, add)
  if not is_plain(value) then
    report.at(path, "bad_value", ("%s are written { [\"name\"] = … }, got %s"):format(field, schema.kind_of(value)))
    return
  end
  for key in pairs(value) do
    if type(key) ~= "string" then
      report.at(sub(path, key), "bad_list", ("%s are written { [\"name\"] = … }"):format(field))
    end
  end
  local seen = {}
  for _, name in ipairs(report.keys(value)) do
    local fact, of = named[field](name, sub(path, name))
    if fact and seen[fact] then
      report.at(sub(path, name), "said_twice", ("'%s' stands here twice: headers have no upper case"):format(name))
    end
    seen[fact or ""] = fact
    local term = fact and read_key(fact, value[name], sub(path, name), of)
    if term then term.keys = { field, name } end
    add(term)
  end
end

-- after and before: one span of time.
local function read_span(value, path)
  local from, to = clock.instant(value.after, value.zone, sub(path, "after")),
    clock.instant(value.before, value.zone, sub(path, "before"))
  if not from and not to then return nil end
  if from and to and from >= to then
    report.at(sub(path, "before"), "bad_time",
      ("nothing lies after %s and before %s"):format(value.after, value.before))
  end
  return { key = "time", op = "within", values = { from or 0, to or clock.TIME_MAX },
    path = sub(path, from and "after" or "before"), keys = { from and "after" or "before" } }
end

-- --- what is called ---

local function names_of(set)
  local names = {}
  for target in pairs(set) do names[#names + 1] = target.name end
  table.sort(names)
  return names
end

-- { region = "eu" } as a text beside names and patterns.
local function selection_values(value)
  if type(value) ~= "table" then return { value } end
  local list = { unpack(value) }
  for _, key in ipairs(report.keys(value)) do list[#list + 1] = key .. " " .. tostring(value[key]) end
  return list
end

-- Targets as `called`, `only` and `drop` name them: the term, and the set. nil after reporting.
function condition.selection(value, path)
  local predicate = predicates.of(value)
  if predicate and predicate.op ~= "none_of" and predicate.op ~= "like" then
    return refuse(path, predicate.op, "called names models or targets: a name, a list, none_of or like")
  end
  local wanted = predicate and predicate.value or value
  local set, why, finding = catalogue.select(wanted)
  if not set then
    report.at(path, finding, why)
    return nil
  end
  if predicate and predicate.op == "none_of" then set = catalogue.complement(set) end
  return { key = "called", op = predicate and predicate.op or "one_of", values = selection_values(wanted),
    many_valued = true, path = path, targets = names_of(set) }, set
end

-- --- keys that are one condition together ---

condition.joint = { clock = { "hours", "days", "zone" }, share = { "share", "sticky" } }
local joint_keys = {}
for _, keys in pairs(condition.joint) do
  for _, key in ipairs(keys) do joint_keys[key] = true end
end

local function joint_term(op, value, path, tested_by)
  if not tested_by then return nil end
  local term = { op = op, values = {}, opaque = true, test = tested_by }
  for _, key in ipairs(condition.joint[op]) do
    local given = value[key]
    if given ~= nil then
      term.key = term.key or key
      term.values[key] = is_plain(given) and { unpack(given) } or { given }
    end
  end
  term.path = sub(path, term.key)
  return term
end

local sticky_facts = { user = "user", session = "session", key = "key_id", request = "id" }

-- share = "10%", sticky = "user": a part of all callers, always the same ones. Who has no user, or no session, is known
-- by the key, and without a key by the request. sticky = "request": a part of all requests, whoever sends them.
local function share_test(value, path, salt)
  if value.share == nil then
    if value.sticky ~= nil then
      report.at(sub(path, "sticky"), "missing_field", "sticky says whose share it is: share = \"10%\" is missing")
    end
    return nil
  end
  local part = units.percent(value.share, sub(path, "share"))
  local sticky = value.sticky == nil and "user"
    or schema.choice { "user", "session", "key", "request" }(value.sticky, sub(path, "sticky"))
  if part and (part == 0 or part > 10000) then
    report.at(sub(path, "share"), "bad_value", ("a share lies between 0%% and 100%%, got %s"):format(value.share),
      part == 0 and "mode = \"off\" takes a rule out" or nil)
  end
  if not part or not sticky then return nil end
  local fact = sticky_facts[sticky]
  return function(f) return core.share(f[fact] or f.key_id or f.id, salt) < part end
end

-- --- the whole ---

-- Every key that there is, labels of keys and of the caller's too.
function condition.names()
  local names = report.keys(kinds)
  for name in pairs(facts.labels) do names[#names + 1] = name end
  for name in pairs(joint_keys) do names[#names + 1] = name end
  for name in pairs(named) do names[#names + 1] = name end
  for _, name in ipairs { "called", "after", "before" } do names[#names + 1] = name end
  return names
end

local function read_function(fn, path)
  return { is_function = true,
    terms = { { key = "function", op = "function", values = {}, opaque = true, path = path, fn = fn,
    line = core.function_line(fn), test = function(f) return fn(f.ctx) end } } }
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- name: of the rule, which keeps shares of different rules apart.
function condition.read(value, path, name)
  if type(value) == "function" then return read_function(value, path) end
  local out = { terms = {} }
  if not is_plain(value) then
    report.at(path, "bad_value", "expected a table of conditions or a function(ctx), got " .. schema.kind_of(value))
    return out
  end
  local function add(term) out.terms[#out.terms + 1] = term end
  for _, key in ipairs(sorted_keys(value)) do
    if key == "called" then
      local term, set = condition.selection(value.called, sub(path, key))
      out.called = set
      add(term)
    elseif named[key] then read_named(key, value[key], sub(path, key), add)
    elseif not joint_keys[key] and key ~= "after" and key ~= "before" then
      add(read_key(key, value[key], sub(path, key)))
    end
  end
  local share = joint_term("share", value, path, share_test(value, path, name or ""))
  if share then share.salt = name or "" end
  add(share)
  add(read_span(value, path))
  add(joint_term("clock", value, path, clock.compile(value, path)))
  table.sort(out.terms, function(a, b) return tostring(a.key) < tostring(b.key) end)
  return out
end

function condition.compile(value, path, name)
  local out = condition.read(value, path, name)
  out.test = test.of(out)
  return out
end

-- --- back again ---

-- A term in an author's words, as `when[key]` would hold it.
function condition.value(term)
  local words = predicates.words
  if term.op == "any" then return words.any end
  if term.op == "between" then return words.between(term.values[1], term.values[2]) end
  if term.op == "within" then return clock.spell(term.values[term.keys[1] == "after" and 1 or 2]) end
  if term.op == "none_of" then return words.none_of(term.values) end
  if term.op == "one_of" then return { unpack(term.values) } end
  return words[term.op](term.values[1])
end

-- Without functions and places: what another state can be told. source_of(fn): a function as text.
function condition.data(read, source_of)
  local terms = {}
  for i, term in ipairs(read.terms) do
    terms[i] = { key = term.key, op = term.op, values = term.values, many_valued = term.many_valued,
      opaque = term.opaque, targets = term.targets, salt = term.salt, source = term.fn and source_of(term.fn) or nil }
  end
  return terms
end

return condition
