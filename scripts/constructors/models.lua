-- models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, context = 128000,
--   price = usd_per_million { input = "2.50", … } } }
--
-- A model is what callers ask for, a target is where it runs. Aliases are further names; snapshots are dated names that
-- are sent on as they are, and stand under the model's own row everywhere. `virtual` models have no targets: routing
-- chooses. ["*"] = { price = … } prices what no other row does. Fills the catalogue,
-- and tells C what each target costs.
local core, use = ...
local report = use "report"
local schema = use "schema"
local catalogue = use "catalogue"
local rates = use "rates"
local sub = report.sub

local models = {}

local texts = schema.one_or_list(schema.text)

local labels = schema.shape({ kind = "one_or_list", of = schema.text }, function(value, path)
  local set = {}
  for _, name in ipairs(texts(value, path) or {}) do set[name] = true end
  return set
end)

local target_name = schema.shape({ kind = "string" }, function(value, path)
  if catalogue.split(value) then return value end
  report.at(path, "bad_value", ("a target is written provider/model, got %s"):format(schema.kind_of(value)))
end)

-- A model whose tokens are counted the same way, for deployments whose names do not say.
local counted_name = schema.shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and core.is_counted(value) then return value end
  report.at(path, "bad_value", ("counts_as names a model whose way of counting is known, such as \"gpt-4o\" or "
    .. "\"claude-sonnet-4-5\"; got %s"):format(schema.kind_of(value)))
end)

local target_fields = schema.record({ target_name, region = schema.text, label = labels, labels = labels,
  price = rates.price, context = schema.number, counts_as = counted_name }, nil, "target field")

local one_target = schema.shape({ kind = "any_of", of = { target_name, target_fields } }, function(value, path)
  if type(value) == "string" then
    return target_name(value, path) and { name = value, labels = {} }
  end
  local given = target_fields(value, path)
  if not given then return nil end
  if value[1] == nil then
    report.at(path, "missing_field", "a target begins with its name: { \"openai/gpt-4o\", region = \"eu\" }")
  end
  return given[1] and { name = given[1], region = given.region, labels = given.labels or given.label or {},
    price = given.price, context = given.context, counts_as = given.counts_as }
end)

-- "gpt-4o-2024-08-06", or { "gpt-4o-2024-05-13", price = … } where it costs something else.
local own_snapshot = schema.record({ schema.text, price = rates.price, context = schema.number }, { 1 },
  "snapshot field")

local snapshot = schema.shape({ kind = "any_of", of = { schema.text, own_snapshot } }, function(value, path)
  if type(value) ~= "table" or getmetatable(value) then
    local name = schema.text(value, path)
    return name and { name }
  end
  return own_snapshot(value, path)
end)

local name_list = schema.list(schema.text)
local fields = {
  targets = schema.list(one_target), context = schema.number, price = rates.price, aliases = name_list,
  snapshots = schema.list(snapshot), virtual = schema.boolean, optional = schema.boolean, description = schema.text,
  source = schema.text, as_of = schema.text, region = schema.text, labels = labels, counts_as = counted_name,
  on_dropped = schema.choice { "tell", "refuse" },
}
local shape = schema.record(fields)

local function add_name(name, entry, path)
  if catalogue.names[name] then
    report.at(path, "bad_name", ("the name '%s' is taken by '%s'"):format(name, catalogue.names[name].model.name))
    return
  end
  catalogue.names[name] = entry
end

-- Targets that a model of their own name lists, wherever that stands.
local borne = {}

local function note_borne(name, given)
  for _, target in ipairs(given.targets or {}) do
    if select(2, catalogue.split(target.name)) == name then borne[target.name] = true end
  end
end

-- The model whose access row a target stands under: the one of its own name, else the only one that lists it.
local function settle_owner(target, model, path)
  local same = select(2, catalogue.split(target.name))
  local owner = target.owner
  if owner and owner ~= model and not borne[target.name] then
    report.at(path, "bad_name",
      ("'%s' runs both '%s' and '%s', and bears neither's name: whose access row would apply?"):format(
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
    local near = report.nearest(provider, core.names "provider")
    report.warn(entry.path, "no_account",
      ("moongate.lua has no provider '%s': %s%s cannot be used"):format(provider, shown, more),
      near or ("providers = { %s = { kind = …, url = …, key = env \"…\" } }"):format(provider))
  end
end

local function add_target(given, model, base, path)
  local name = given.name
  local target = catalogue.targets[name]
  if not target then
    local provider = catalogue.split(name)
    local is_there, kind = core.provider(provider)
    target = { name = name, provider = provider, base = base, region = given.region or model.region,
      labels = next(given.labels) and given.labels or model.labels or {}, price = given.price,
      counts_as = given.counts_as, context = given.context or model.context, usable = is_there ~= false,
      kind = kind }
    catalogue.targets[name] = target
    catalogue.target_names[#catalogue.target_names + 1] = name
    if not target.usable and not model.optional then note_missing(provider, name, path) end
  end
  settle_owner(target, model, path)
  return target
end

local function add_snapshot(given_snapshot, model, given_targets, path)
  local name, targets = given_snapshot[1], {}
  for i, given in ipairs(given_targets) do
    local provider, deployment = catalogue.split(given.name)
    if deployment == model.name then -- a deployment of another name is what it is
      local dated = { name = provider .. "/" .. name, region = given.region, labels = given.labels,
        price = given_snapshot.price or given.price, context = given_snapshot.context, counts_as = given.counts_as }
      targets[i] = add_target(dated, model, given.name, path)
    else targets[i] = catalogue.targets[given.name] end
  end
  add_name(name, { model = model, targets = targets, snapshot = true }, path)
end

local function check_model(name, given, written, path)
  if given.virtual then
    for _, field in ipairs { "targets", "price", "context", "snapshots" } do
      if given[field] ~= nil then
        report.at(sub(path, field), "bad_name", "a virtual model has none: routing chooses what answers")
      end
    end
  elseif type(written.targets) ~= "table" or #written.targets == 0 then
    report.at(path, "missing_field", ("'%s' has no targets"):format(name),
      "targets = { \"provider/model\" }, or virtual = true")
  elseif written.price == nil and not catalogue.default_price then
    local unpriced = {}
    for i, target in ipairs(given.targets or {}) do
      local row = written.targets[i]
      if type(row) ~= "table" or row.price == nil then unpriced[#unpriced + 1] = target.name end
    end
    if #unpriced == 0 then return end
    local who = #unpriced == #given.targets and name or table.concat(unpriced, "', '")
    report.warn(path, "no_price", ("'%s' has no price: what it costs will not be known"):format(who),
      "price = usd_per_million { input = \"…\", output = \"…\" }, or price = free")
  end
end

local function add_model(name, given, path)
  local line = report.place(path)
  local model = { name = name, virtual = given.virtual or false, context = given.context, price = given.price,
    region = given.region, labels = given.labels, line = line, targets = {}, source = given.source, as_of = given.as_of,
    optional = given.optional, counts_as = given.counts_as, on_dropped = given.on_dropped }
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
  for i, one in ipairs(given.snapshots or {}) do
    if one[1] then add_snapshot(one, model, given.targets or {}, sub(sub(path, "snapshots"), i)) end
  end
end

-- ["*"]: what targets cost that have no price of their own.
local default_row = schema.record({ price = rates.price, source = schema.text, as_of = schema.text }, { "price" })

local function without_default(spec)
  if type(spec) ~= "table" or getmetatable(spec) or spec["*"] == nil then return spec end
  local rest = {}
  for name, row in pairs(spec) do
    if name ~= "*" then rest[name] = row end
  end
  local given = default_row(spec["*"], sub(nil, "*"))
  catalogue.default_price = given and given.price or nil
  return rest
end

-- What C knows of each target: its figures, and how much it takes in. Other scripts may add to it by the same name.
local function tell_terms()
  for _, name in ipairs(catalogue.target_names) do
    local target = catalogue.targets[name]
    local price, is_default = catalogue.price_of(target)
    if price and not price.handle then price.handle, price.revision = core.price(price) end
    target.terms = core.add_terms(name, target.context or 0, price and price.handle, is_default, target.owner.name,
      target.counts_as or target.owner.counts_as, target.owner.on_dropped == "refuse", target.kind)
    target.dialects = core.dialects(target.terms)
  end
  for name, entry in pairs(catalogue.names) do
    for _, target in ipairs(entry.targets) do core.add_name(name, target.name) end
  end
end

function models.compile(spec)
  local given = schema.map(shape)(without_default(spec), nil) or {}
  local names = report.keys(given)
  for _, name in ipairs(names) do note_borne(name, given[name]) end
  for _, name in ipairs(names) do
    check_model(name, given[name], spec[name], sub(nil, name))
    add_model(name, given[name], sub(nil, name))
  end
  for _, name in ipairs(names) do add_names(catalogue.models[name], given[name], sub(nil, name)) end
  if #names == 0 then
    report.at(nil, "unknown_model", "there are no models: [\"name\"] = { targets = { \"provider/model\" } }")
  end
  warn_missing()
  table.sort(catalogue.target_names)
  if report.errors == 0 then tell_terms() end
end

return models
