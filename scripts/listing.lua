-- GET /v1/models and /v1/models/{id}: the models that this caller may use; and requests about what a provider keeps,
-- for whoever may use any.
local core, use = ...
local catalogue = use "catalogue"
local targets = use "targets"
local limits = use "limits"
local notes = use "notes"

local listing = {}

local models_file = { name = "models", file = "policies/models.lua", mode = "enforce" }

-- What auth and access leave; policies of other kinds speak when a model is called.
local function may_use(f, policies, model)
  local entry = catalogue.names[model.name]
  f.model, f._entry, f._filters = model.name, entry, {}
  for i = 1, #policies do
    local policy = policies[i]
    f._policy = policy
    if policy.kind == "access" and policy.run_listing(f, policy) == "over" then return false end
  end
  for _, target in ipairs(entry.targets) do
    if not targets.rejection(f, target) then return true end
  end
  return false
end

local function masking(policies)
  for i = 1, #policies do
    if policies[i].masks_answers then return policies[i] end
  end
end

-- Something that a provider keeps: whose it is is known elsewhere (core/flow/owning.h). What was masked in an answer
-- that has gone out is not masked in what the provider has of it.
local function answer_object(f, policies, names)
  local by = core.listing() == "object" and masking(policies)
  if by then
    return notes.deny(f, by, "", { status = 403, code = "answers_are_judged" },
      "answers are masked here, and one that a provider keeps is not: it cannot be fetched", "enforce", by.line or 0)
  end
  if #names == 0 then
    return notes.deny(f, models_file, "", { status = 403, code = "no_model_left" }, "this key may use no model",
      "enforce", 0)
  end
  if limits.take_request(f, policies) == "over" then return end
  return core.list(names)
end

function listing.answer(f, policies)
  f._quiet = true
  if core.listing() == "one" then
    local asked = f.asked
    local entry = catalogue.names[asked]
    local is_there = entry and (entry.model.virtual or may_use(f, policies, entry.model))
    local meant = not is_there and catalogue.meant(tostring(asked))
    local may_hint = meant and may_use(f, policies, meant.model)
    f._quiet = false
    if is_there then return core.list { asked } end
    return notes.deny(f, models_file, "", { status = 404, code = "model_not_found" },
      ("there is no model '%s', or this key may not use it%s"):format(tostring(asked),
        may_hint and catalogue.hint(asked) or ""),
      "enforce", 0)
  end
  local names, virtual = {}, {}
  for _, model in ipairs(catalogue.sorted) do
    if model.virtual then virtual[#virtual + 1] = model.name
    elseif may_use(f, policies, model) then names[#names + 1] = model.name end
  end
  f._quiet = false
  if #names > 0 then
    for _, name in ipairs(virtual) do names[#names + 1] = name end
    table.sort(names)
  end
  if core.listing() ~= "all" then return answer_object(f, policies, names) end
  core.list(names)
end

-- --- files of batches ---

-- These are kept by accounts, which the targets of a model of that name say.
listing.is_kept = { files = true, batches = true, conversations = true }
listing.cure = ": where %s go says a row of policies/models.lua, such as "
  .. "%s = { targets = { \"openai/%s\" }, price = free }"

-- What a line names is the provider's own name: a target's.
local function may_run(f, policies, provider, name)
  local wanted = provider .. "/" .. name
  for _, model in ipairs(catalogue.sorted) do
    local entry = not model.virtual and catalogue.names[model.name]
    for _, target in ipairs(entry and entry.targets or {}) do
      local is_meant = target.name == wanted and may_use(f, policies, model)
      if is_meant and not targets.rejection(f, target) then return true end
    end
  end
end

local function first_refused(f, policies, chosen)
  for _, name in ipairs(core.line_models()) do
    for _, target in ipairs(chosen) do
      local provider = target.name:match("^([^/]*)/")
      if not may_run(f, policies, provider, name) then return name, provider end
    end
  end
end

-- true when a line of the file asks for a model that this caller may not use there.
function listing.refuse_lines(f, policies, chosen)
  local model, entry, filters, policy = f.model, f._entry, f._filters, f._policy
  f._quiet = true
  local name, provider = first_refused(f, policies, chosen)
  f._quiet, f.model, f._entry, f._filters, f._policy = false, model, entry, filters, policy
  if not name then return false end
  notes.deny(f, models_file, "", { status = 403, code = "model_not_allowed" },
    ("the file's lines ask for '%s', which this key may not use at %s"):format(name, provider), "enforce", 0)
  return true
end

return listing
