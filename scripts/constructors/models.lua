-- models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, context = 128000, price = { input = "2.50", output = "10.00" } } }
--
-- A model is what callers ask for, a target is where it runs. Aliases are further names; snapshots are dated names that
-- are sent on as they are, and stand under the model's own row everywhere. `virtual` models have no targets: routing
-- chooses. Fills the catalogue.
local core, use = ...
local report = use "report"
local schema = use "schema"
local catalogue = use "catalogue"
local sub = report.sub

local models = {}

-- USD per million tokens: "2.50" or 2.5. Kept as digits of a pico-dollar per token.
local function money(value, path)
  local text = type(value) == "number" and ("%.12g"):format(value) or value
  local whole, part = tostring(text):match("^(%d+)%.?(%d*)$")
  if type(text) ~= "string" or not whole or #whole > 6 or #part > 6 then
    report.at(path, "a price is USD per million tokens with at most six decimals, such as \"2.50\"; got "
      .. schema.kind_of(value))
    return nil
  end
  return tonumber(whole) * 1000000 + tonumber((part .. "000000"):sub(1, 6))
end

local price = schema.record({ input = money, output = money, cached_input = money, cache_write = money,
  audio_input = money, audio_output = money }, { "input", "output" }, "price")

local function labels(value, path)
  local set = {}
  for _, name in ipairs(schema.one_or_list(schema.text)(value, path) or {}) do set[name] = true end
  return set
end

local function target_name(value, path)
  if catalogue.split(value) then return value end
  report.at(path, ("a target is written provider/model, got %s"):format(schema.kind_of(value)))
end

local target_fields = schema.record({ target_name, region = schema.text, label = labels, labels = labels, price = price,
  context = schema.number }, nil, "target field")

local function one_target(value, path)
  if type(value) == "string" then
    return target_name(value, path) and { name = value, labels = {} }
  end
  local given = target_fields(value, path)
  if not given then return nil end
  if value[1] == nil then report.at(path, "a target begins with its name: { \"openai/gpt-4o\", region = \"eu\" }") end
  return given[1] and { name = given[1], region = given.region, labels = given.labels or given.label or {},
    price = given.price, context = given.context }
end

local name_list = schema.list(schema.text)
local fields = {
  targets = schema.list(one_target), context = schema.number, price = price, aliases = name_list,
  snapshots = name_list, virtual = schema.boolean, description = schema.text, source = schema.text,
  as_of = schema.text, region = schema.text, labels = labels,
}
local shape = schema.record(fields)

local function add_name(name, entry, path)
  if catalogue.names[name] then
    report.at(path, ("the name '%s' is taken by '%s'"):format(name, catalogue.names[name].model.name))
    return
  end
  catalogue.names[name] = entry
end

-- The model whose access row a target stands under: the one of its own name, else the only one that lists it.
local function settle_owner(target, model, path)
  local same = select(2, catalogue.split(target.name))
  local owner = target.owner
  if owner and owner ~= model and owner.name ~= same and model.name ~= same then
    report.at(path, ("'%s' runs both '%s' and '%s', and bears neither's name: whose access row would apply?"):format(
      target.name, owner.name, model.name), ("list it in one model, or in a model named '%s'"):format(same))
  end
  if not owner or model.name == same then target.owner = model end
end

-- Targets without an account, by provider: one warning each, at the first of them.
local missing = {}

local function note_missing(provider, name, path)
  local entry = missing[provider] or { path = path, names = {} }
  missing[provider] = entry
  entry.names[#entry.names + 1] = name
end

local NAMES_SHOWN = 3

local function warn_missing()
  for _, provider in ipairs(report.keys(missing)) do
    local entry = missing[provider]
    local names, count = entry.names, #entry.names
    local shown = table.concat(names, ", ", 1, math.min(count, NAMES_SHOWN))
    local more = count > NAMES_SHOWN and (" and %d more"):format(count - NAMES_SHOWN) or ""
    report.warn(entry.path, ("moongate.lua has no provider '%s': %s%s cannot be used"):format(provider, shown, more),
      ("providers = { %s = { kind = …, url = …, key = env \"…\" } }"):format(provider))
  end
end

local function add_target(given, model, base, path)
  local name = given.name
  local target = catalogue.targets[name]
  if not target then
    local provider = catalogue.split(name)
    target = { name = name, provider = provider, base = base, region = given.region or model.region,
      labels = next(given.labels) and given.labels or model.labels or {}, price = given.price,
      context = given.context or model.context, usable = core.provider(provider) ~= false }
    catalogue.targets[name] = target
    catalogue.target_names[#catalogue.target_names + 1] = name
    if not target.usable then note_missing(provider, name, path) end
  end
  settle_owner(target, model, path)
  return target
end

local function add_snapshot(name, model, given_targets, path)
  local targets = {}
  for i, given in ipairs(given_targets) do
    local provider, deployment = catalogue.split(given.name)
    if deployment == model.name then -- a deployment of another name is what it is
      local dated = { name = provider .. "/" .. name, region = given.region, labels = given.labels, price = given.price }
      targets[i] = add_target(dated, model, given.name, path)
    else targets[i] = catalogue.targets[given.name] end
  end
  add_name(name, { model = model, targets = targets, snapshot = true }, path)
end

local function check_model(name, given, written, path)
  if given.virtual then
    for _, field in ipairs { "targets", "price", "context", "snapshots" } do
      if given[field] ~= nil then report.at(sub(path, field), "a virtual model has none: routing chooses what answers") end
    end
  elseif type(written.targets) ~= "table" or #written.targets == 0 then
    report.at(path, ("'%s' has no targets"):format(name), "targets = { \"provider/model\" }, or virtual = true")
  elseif not given.price and written.price == nil then
    local priced = true
    for _, target in ipairs(given.targets or {}) do priced = priced and target.price end
    if not priced then report.warn(path, ("'%s' has no price: what it costs will not be known"):format(name)) end
  end
end

local function add_model(name, given, path)
  local line = report.place(path)
  local model = { name = name, virtual = given.virtual or false, context = given.context, price = given.price,
    region = given.region, labels = given.labels, line = line, targets = {} }
  catalogue.models[name] = model
  catalogue.sorted[#catalogue.sorted + 1] = model
  for i, target in ipairs(given.targets or {}) do
    model.targets[i] = add_target(target, model, target.name, sub(sub(path, "targets"), i))
  end
  add_name(name, { model = model, targets = model.targets }, path)
  return model
end

local function add_names(model, given, path)
  for i, alias in ipairs(given.aliases or {}) do
    add_name(alias, { model = model, targets = model.targets }, sub(sub(path, "aliases"), i))
  end
  for i, snapshot in ipairs(given.snapshots or {}) do
    add_snapshot(snapshot, model, given.targets or {}, sub(sub(path, "snapshots"), i))
  end
end

function models.compile(spec)
  local given = schema.map(shape)(spec, nil) or {}
  local names = report.keys(given)
  for _, name in ipairs(names) do
    check_model(name, given[name], spec[name], sub(nil, name))
    add_model(name, given[name], sub(nil, name))
  end
  for _, name in ipairs(names) do add_names(catalogue.models[name], given[name], sub(nil, name)) end
  if #names == 0 then report.at(nil, "there are no models: [\"name\"] = { targets = { \"provider/model\" } }") end
  warn_missing()
  table.sort(catalogue.target_names)
end

return models
