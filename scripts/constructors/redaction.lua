-- redaction { detect = { … }, custom = { … }, request = { … }, response = { … }, restore = true, … }:
-- what must not leave.
--
-- C looks for all of it at once (core/wire/redact.h), after auth and before anything else asks: the data class and the
-- labels that findings raise are known to the whole chain. What is denied or masked is said where the policy stands.
local core, use = ...
local report = use "report"
local schema = use "schema"
local policies = use "policies"
local actions = use "actions"
local notes = use "notes"
local facts = use "facts"
local sub = report.sub

local redaction = {}

local KIB = 1024
local DEFAULT_SCAN = 256 * KIB
local MOST_SCAN = 16 * KIB * KIB

local found = { status = 422, code = "sensitive_data" }
local unscanned = { status = 413, code = "too_large_to_scan" }
local foreign = { status = 415, code = "unreadable_text" }
local unseen = { status = 422, code = "too_deep_to_scan" }

-- --- which kinds there are ---

local built_in = {}
for _, name in ipairs(core.detector_kinds()) do built_in[name] = true end

local function detect_list(value, path)
  local names, seen = {}, {}
  for i, name in ipairs(schema.list(schema.text)(value, path) or {}) do
    if not built_in[name] then
      report.at(sub(path, i), "bad_redaction", ("there is no detector '%s'"):format(name),
        report.nearest(name, report.keys(built_in))
        or "detectors: " .. table.concat(report.keys(built_in), ", ") .. "; masks of your own stand in custom")
    elseif seen[name] then report.at(sub(path, i), "said_twice", ("'%s' stands here twice"):format(name))
    else names[#names + 1] = name end
    seen[name] = true
  end
  return names
end

-- { "employee_id", like = "EMP-######" } → { name, like }
local function mask(value, path)
  if type(value) ~= "table" or getmetatable(value) then
    report.at(path, "bad_redaction",
      "a mask is written { \"employee_id\", like = \"EMP-######\" }, got " .. schema.kind_of(value))
    return nil
  end
  for key in pairs(value) do
    if key ~= 1 and key ~= "like" then
      report.at(sub(path, key), "unknown_field", ("unknown field '%s' in a mask"):format(tostring(key)),
        report.nearest(key, { "like" }))
    end
  end
  local name, like = value[1], schema.text(value.like, sub(path, "like"))
  if type(name) ~= "string" or not name:find("^[a-z][a-z0-9_]*$") or name:find("_%d+$") then
    report.at(path, "bad_redaction",
      "a mask begins with its name, of a-z, 0-9 and _ and without a number at its end; got "
      .. schema.kind_of(name))
    return nil
  end
  if like and like:find("[%[%]]") then
    report.at(sub(path, "like"), "bad_redaction", "a mask holds no brackets: they stand around placeholders")
    return nil
  end
  return like and { name, like }
end

local function compile_kinds(spec)
  local kinds = {}
  local names = spec.detect ~= nil and detect_list(spec.detect, sub(nil, "detect")) or {}
  for _, name in ipairs(names) do kinds[#kinds + 1] = name end
  local masks = spec.custom ~= nil and schema.list(mask)(spec.custom, sub(nil, "custom")) or {}
  for _, one in ipairs(masks) do kinds[#kinds + 1] = one[1] end
  return kinds, names, masks
end

-- --- what is done with each ---

local function unknown_kind(kinds, name, path)
  local near = report.nearest(tostring(name), kinds)
  local hint = near or (built_in[name] and ("add it: detect = { \"%s\", … }"):format(name))
  report.at(path, "bad_redaction", ("'%s' is not looked for here"):format(tostring(name)), hint)
end

local function is_kind(kinds, name)
  for _, kind in ipairs(kinds) do
    if kind == name then return true end
  end
  return false
end

-- { email = "mask", ["*"] = "deny" } → kind → action, for every kind.
local function compile_actions(value, path, kinds, words, refused)
  local map, action = {}, schema.choice(words)
  if type(value) ~= "table" or getmetatable(value) then
    report.at(path, "bad_value", "expected { email = \"mask\", [\"*\"] = … }, got " .. schema.kind_of(value))
    return map
  end
  for _, name in ipairs(report.keys(value)) do
    local at = sub(path, name)
    if name ~= "*" and not is_kind(kinds, name) then unknown_kind(kinds, name, at)
    elseif refused and refused[value[name]] then report.at(at, unpack(refused[value[name]]))
    else map[name] = action(value[name], at) or false end
  end
  local missing = {}
  for _, kind in ipairs(kinds) do
    if map[kind] == nil then map[kind] = map["*"] end
    if map[kind] == nil then missing[#missing + 1] = kind end
  end
  if #missing > 0 then
    report.at(path, "bad_redaction", ("nothing is said of %s"):format(table.concat(missing, ", ")),
      "[\"*\"] = \"mask\" is for all others")
  end
  return map
end

-- kind → one thing or several of a shape.
local function by_kind(value, path, kinds, shape)
  local map = schema.map(shape)(value, path) or {}
  for _, name in ipairs(report.keys(map)) do
    if not is_kind(kinds, name) then unknown_kind(kinds, name, sub(path, name)) end
  end
  return map
end

local function size(value, path)
  local count, unit = tostring(value):match("^(%d+)([KM])B$")
  local bytes = count and #count < 7 and count * (unit == "K" and KIB or KIB * KIB)
  if type(value) == "string" and bytes and bytes > 0 and bytes <= MOST_SCAN then return bytes end
  report.at(path, "bad_value", "a size is written \"256KB\" or \"1MB\", at most 16MB; got " .. schema.kind_of(value))
end

-- --- at work ---

-- How strict a mode is by itself, under that of the policy.
local function mode_of(policy, action) return action == "observe" and "observe" or policy.mode end

local function run_findings(f, policy)
  local over
  for i = 1, #policy.kinds do
    local kind = policy.kinds[i]
    local count = core.found(kind)
    local action = count > 0 and policy.request[kind]
    if action and action ~= "allow" then
      local mode, line = mode_of(policy, action), policy.places[kind]
      if policy.classes[kind] then
        notes.note(f, policy, kind, "classify", policy.classes[kind] .. " data", policy.mode, line)
      end
      if action == "deny" then
        over = over or notes.deny(f, policy, kind, found,
          ("%s must not be sent to a model (%d found)"):format(kind, count), mode, line)
      else
        notes.note(f, policy, kind, "mask",
          ("%d %s"):format(count, mode == "enforce" and "masked" or "found"), mode, line)
        if mode == "enforce" then core.mask(kind) end
      end
    end
  end
  return over
end

local function run_unscanned(f, policy)
  local is_cut, levels, is_foreign = core.is_cut()
  if not is_cut and not levels and not is_foreign then return nil end
  local rule, how = "max_scan", unscanned
  local text = ("more than %d KB of text, and no more is looked at"):format(policy.max_scan / KIB)
  if is_foreign then
    rule, how = "unscanned", foreign
    text = "the file is a text in another encoding than UTF-8, and is not looked at: send it as UTF-8"
  elseif not is_cut then
    rule, how, text = "unscanned", unseen, ("JSON in JSON more than %d deep, and no deeper is looked at"):format(levels)
  end
  if policy.unscanned == "deny" then return notes.deny(f, policy, rule, how, text, policy.mode, policy.line) end
  notes.note(f, policy, rule, "warn", text, policy.mode, policy.line)
  if policy.mode == "enforce" and not f._quiet then core.warn("unscanned: " .. text) end
end

-- In pieces, so that a long text never holds up the neighbours. Before the chain looks at the data class.
local function scan(f, policy)
  local is_done, has_findings
  repeat is_done, has_findings = core.scan() until is_done
  if not has_findings then return false end
  if policy.mode ~= "enforce" then return true end
  for kind, labels in pairs(policy.labels) do
    if core.found(kind) > 0 then
      for _, label in ipairs(labels) do facts.raise_label(f, label) end
    end
  end
  return true
end

local function run(f, policy)
  if policy.mode == "off" then return nil end
  if policy.detector and scan(f, policy) then
    if run_findings(f, policy) or run_unscanned(f, policy) then return "over" end
  end
  return actions.run_all(f, policy)
end

-- --- compiling ---

local detecting

-- By kind: whether some policy looks for it.
redaction.looked_for = {}

local refused_answers = { deny = { "bad_redaction",
  "an answer cannot be denied for what it holds: of a stream it has gone out by then",
  "\"mask\" it; or judge ctx.response:text() in on_response, with buffer = true" } }

local function make_detector(spec, policy, names, masks)
  local detector, why = core.detector(names, masks)
  if not detector then return report.at(sub(nil, #masks > 0 and "custom" or "detect"), "bad_redaction", why) end
  local response = spec.response ~= nil and compile_actions(spec.response, sub(nil, "response"), policy.kinds,
    { "mask", "observe", "allow" }, refused_answers) or {}
  for _, kind in ipairs(policy.kinds) do
    local action = policy.mode ~= "off" and response[kind]
    if action == "mask" or action == "observe" then
      core.detector_answer(detector, kind, action == "mask" and policy.mode == "enforce")
      if action == "mask" and policy.mode == "enforce" then policy.masks_answers = true end
    end
    local class = policy.mode == "enforce" and policy.classes[kind]
    if class then core.detector_class(detector, kind, schema.class_rank[class]) end
  end
  core.detector_options(detector, policy.restore and policy.mode == "enforce", policy.max_scan)
  return detector
end

local function compile_detection(spec, policy)
  local names, masks
  policy.kinds, names, masks = compile_kinds(spec)
  policy.request = compile_actions(spec.request or { ["*"] = "mask" }, sub(nil, "request"), policy.kinds,
    { "mask", "deny", "observe", "allow" })
  for _, kind in ipairs(policy.kinds) do redaction.looked_for[kind] = true end
  policy.places = {}
  for _, kind in ipairs(policy.kinds) do
    local given = type(spec.request) == "table" and spec.request or {}
    local key = given[kind] and kind or given["*"] and "*"
    policy.places[kind] = key and report.place(sub(sub(nil, "request"), key)) or policy.line
  end
  policy.classes = by_kind(spec.classify or {}, sub(nil, "classify"), policy.kinds, schema.class)
  policy.labels = by_kind(spec.labels or {}, sub(nil, "labels"), policy.kinds, schema.one_or_list(schema.code))
  policy.restore = spec.restore ~= nil and schema.boolean(spec.restore, sub(nil, "restore")) or false
  policy.max_scan = spec.max_scan ~= nil and size(spec.max_scan, sub(nil, "max_scan")) or DEFAULT_SCAN
  policy.unscanned = spec.unscanned ~= nil
    and schema.choice { "deny", "warn" }(spec.unscanned, sub(nil, "unscanned")) or "deny"
  if policy.restore then
    local is_masking = false
    for _, action in pairs(policy.request) do is_masking = is_masking or action == "mask" end
    if not is_masking then
      report.at(sub(nil, "restore"), "bad_redaction", "no request is masked, so there is nothing to restore")
    end
  end
  if detecting and detecting ~= policy.file then
    report.at(nil, "bad_redaction", ("%s looks for things already, and one policy of a chain does"):format(detecting),
      "write the kinds of both into one file")
  end
  detecting = policy.file
  policy.detector = make_detector(spec, policy, names, masks)
end

local own = { "detect", "custom", "request", "response", "restore", "max_scan", "unscanned", "classify", "labels" }

function redaction.compile(spec, policy)
  policies.check(spec, own, { guard = "a guard is a rule: { \"name\", when = { contains = { … } }, deny = { … } }",
    keywords = "keywords stand in a rule: when = { contains = { … } }" })
  policies.compile(spec, policy, { deny = true, only = true, drop = true, pass = true, annotate = true, warn = true,
    record = true })
  if spec.detect ~= nil or spec.custom ~= nil then
    compile_detection(spec, policy)
  else
    for _, name in ipairs(own) do
      if spec[name] ~= nil then
        report.at(sub(nil, name), "bad_redaction", "nothing is looked for", "detect = { \"email\", … } says what")
      end
    end
    if spec.rules == nil and spec.on_request == nil
      and not (policy.on_response or policy.on_delta or policy.on_attempt) then
      report.at(nil, "bad_redaction", "this redaction does nothing", "detect = { \"email\", … } says what to look for")
    end
  end
  policy.run, policy.scan = run, scan
  policy.is_classifying = policy.detector and (next(policy.classes) or next(policy.labels)) ~= nil
  if policy.is_classifying then facts.is_raised = true end
end

return redaction
