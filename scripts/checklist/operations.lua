-- Facts about the running of the gateway: its trail, bundle, prices, budgets, accounts, switches, alerts, backups.
local core, use = ...
local catalogue = use "catalogue"
local governing = use "governing"
local rates = use "rates"
local report = use "report"
local request = use "request"
local schema = use "schema"
local access = use "checklist/access"
local fact = use "checklist/fact"
local DAY = fact.DAY

local operations = {}

-- The newest event of those actions, of a registry that lists the newest first.
local function latest(state, ...)
  for _, event in ipairs(state.registry.events) do
    for _, action in ipairs { ... } do
      if event.action == action then return event end
    end
  end
end

-- --- audit.trail ---

local RETAIN_S = 183 * DAY -- Article 26(6) of Regulation (EU) 2024/1689: six months
local WITNESS_S = 2 * 3600

local function check_verified(state, found)
  local last = latest(state, "audit.verify")
  local cure = "moongate audit verify, once a day"
  if not last then found[#found + 1] = { "failing", "the chain was never verified", cure }
  elseif last.after.state ~= "intact" then
    found[#found + 1] = { "failing", ("the chain was %s on %s"):format(tostring(last.after.state), fact.day(last.at)),
      "moongate audit verify says where" }
  elseif state.now - last.at > DAY then
    local ago = fact.span(state.now - last.at)
    found[#found + 1] = { "failing", ("the chain was last verified %s ago"):format(ago), cure }
  end
  return last
end

local function check_witness(ledger, now, found)
  local cure = 'ledger = { witness = { file = "…" } } in moongate.lua'
  if #ledger.witnesses == 0 then found[#found + 1] = { "failing", "no witness has seen an anchor", cure } end
  for _, one in ipairs(ledger.witnesses) do
    if one.seq < ledger.anchor_seq and now - ledger.anchor_at > WITNESS_S then
      found[#found + 1] = { "failing", ("witness %s has not seen the last anchor, of %s"):format(one.name,
        fact.instant(ledger.anchor_at)), "moongate's log says why it fails" }
    end
  end
end

function operations.trail(state)
  local why = fact.missing(state.ledger, "the ledger") or fact.missing(state.registry, "the registry")
  if why then return why end
  local found = {}
  local wanted = math.max(RETAIN_S, governing.rules().checklist.audit_retention or 0)
  local kept = state.config.retain_s
  local last = check_verified(state, found)
  check_witness(state.ledger, state.now, found)
  if kept > 0 and kept < wanted then
    found[#found + 1] = { "failing", ("records are kept %s"):format(fact.span(kept)),
      ('ledger = { retain = "%dd" } in moongate.lua'):format(math.ceil(wanted / DAY)) }
  end
  if state.ledger.losses > 0 then
    found[#found + 1] = { "failing", fact.count(state.ledger.losses, "record could not be kept",
      "records could not be kept"), "moongate audit search kind:loss" }
  end
  local one = fact.of(found, ("verified %s ago, witnessed, kept %s, no record lost"):format(
    last and fact.span(state.now - last.at) or "", kept == 0 and "for ever" or fact.span(kept)))
  one.as_of = last and last.at
  return one
end

-- --- the bundle ---

function operations.signed(state)
  local gate = state.gate
  if not gate then return fact.unknown("nobody says who must sign", "run it beside the gateway's configuration") end
  if gate.wanted == 0 then
    return fact.failing("no gate: policies go live without signatures",
      'gate = { signatures = 2, signers = "allowed_signers" } in moongate.lua')
  end
  if not gate.is_good then return fact.failing(gate.why, "moongate bundle status") end
  return fact.ok(("%d of %d signatures, serial %d"):format(gate.persons, gate.wanted, gate.serial))
end

function operations.one(state)
  local nodes, seen, digests = state.nodes or {}, {}, {}
  for _, node in ipairs(nodes) do
    if not seen[node.digest] then digests[#digests + 1], seen[node.digest] = node.digest, true end
  end
  if #nodes == 0 then
    return fact.unknown("no gateway runs here that says with which policies", "moongate run")
  end
  if #digests > 1 then
    return fact.failing(("%d different policies in %s"):format(#digests, fact.count(#nodes, "process", "processes")),
      "moongate reload", digests)
  end
  if state.is_fleet then
    return fact.unknown(("%.12s in all processes here; other gateways of the fleet are not seen from here"):format(
      digests[1]), "moongate checklist on each of them, and compare")
  end
  return fact.ok(("%.12s in %s"):format(digests[1], fact.count(#nodes, "process", "processes")), digests)
end

-- --- prices and budgets ---

local PRICE_S = 90 * DAY

local function read_at(model)
  local ok, seconds = pcall(request.seconds_of, tostring(model.as_of) .. "T00:00:00Z")
  return ok and seconds or nil
end

local function old_prices(now)
  local old, count = {}, 0
  for _, model in ipairs(catalogue.sorted) do
    if not model.virtual and model.price and model.price ~= rates.words.free and model.targets[1] then
      local at = read_at(model)
      count = count + 1
      if not at or now - at > PRICE_S then old[#old + 1] = ("%s (%s)"):format(model.name, model.as_of or "no as_of") end
    end
  end
  return old, count
end

function operations.prices(state)
  local why = fact.missing(state.ledger, "the ledger")
  local old, count = old_prices(state.now)
  local found = {}
  if #old > 0 then
    found[1] = { "failing", ("%d of %s older than 90 days, or without as_of"):format(#old,
      fact.count(count, "price is", "prices are")), 'read them again, and set as_of in policies/models.lua' }
  end
  if not why and state.ledger.unpriced > 0 then
    found[#found + 1] = { "failing", fact.count(state.ledger.unpriced, "request had no price", "requests had no price"),
      "moongate requests --where unpriced:true" }
  end
  if #found == 0 and why then return why end
  return fact.of(found, ("%s read within 90 days; no request without"):format(fact.count(count, "price")), old)
end

-- Does the row hold for each request of that department, whatever else it is?
local function covers(row, department)
  if row.mode ~= "enforce" or not row.blocking then return false end
  for _, part in ipairs(row.parts) do
    if part.set and not (part.name == "department" and part.set[department]) then return false end
  end
  return not row.matches
end

local function is_covered(department)
  for _, policy in ipairs(access.at_work "budget") do
    for _, row in ipairs(policy.rows) do
      if covers(row, department) then return true end
    end
    if policy.default_row and covers(policy.default_row, department) then return true end
  end
  return false
end

function operations.budgets(state)
  local why = fact.missing(state.ledger, "the ledger")
  if why then return why end
  local without, count = {}, 0
  for _, row in ipairs(state.ledger.departments) do
    if row.requests > row.denied then
      count = count + 1
      if not is_covered(row.name) then without[#without + 1] = row.name == "" and "(none)" or row.name end
    end
  end
  if #without > 0 then
    return fact.failing(("%d of %s in traffic without a budget that blocks"):format(#without,
      fact.count(count, "department")), 'default = { each = "department", … } in a budget policy', without)
  end
  return fact.ok(("%s in traffic, each under a budget that blocks"):format(fact.count(count, "department")))
end

-- --- provider accounts ---

-- The highest class that rows let go there, of an account.
local function highest(account)
  local rank, class = 0, nil
  for _, policy in ipairs(access.at_work "access") do
    for name, row in pairs(policy.rows) do
      for _, target in ipairs(catalogue.models[name] and catalogue.models[name].targets or {}) do
        if target.provider == account and row.data and row.rank > rank then rank, class = row.rank, row.data end
      end
    end
  end
  return rank, class
end

local function lacks(name, account)
  local missing = {}
  for _, field in ipairs { "owner", "contract", "data" } do
    if not account[field] then missing[#missing + 1] = field end
  end
  if not account.region and not account.location then missing[#missing + 1] = "region" end
  if #missing > 0 then return ("%s has no %s"):format(name, table.concat(missing, ", ")) end
  local rank, class = highest(name)
  if rank > schema.class_rank[account.data] then
    return ("%s is for data up to %s, and rows send it %s"):format(name, account.data, class)
  end
end

function operations.providers(state)
  local accounts, bad = state.config.providers, {}
  if not accounts then return fact.unknown("there is no configuration to go by", "name it with -c") end
  local names = report.keys(accounts)
  for _, name in ipairs(names) do bad[#bad + 1] = lacks(name, accounts[name]) end
  if #bad > 0 then
    return fact.failing(("%d of %s not whole"):format(#bad, fact.count(#names, "account is", "accounts are")),
      'owner, region, contract and data of each account in moongate.lua', bad)
  end
  return fact.ok(("%s, each with owner, region, contract and the data it may see"):format(
    fact.count(#names, "account")))
end

local DRILL_S = 90 * DAY

function operations.stop(state)
  local why = fact.missing(state.registry, "the registry")
  if why then return why end
  local last = latest(state, "providers.disable")
  local cure = "moongate provider disable NAME --reason drill, and enable it again"
  if not last then return fact.failing("no provider account was ever switched off", cure) end
  if state.now - last.at > DRILL_S then
    return fact.failing(("last drilled %s ago"):format(fact.span(state.now - last.at)), cure)
  end
  why = fact.missing(state.ledger, "the ledger")
  if why then return why end
  local text = ("%s switched off on %s"):format(last.object, fact.day(last.at))
  if state.ledger.after_switch > 0 then
    return fact.failing(("%s; %s served there later than 1 s after it"):format(text,
      fact.count(state.ledger.after_switch, "request was", "requests were")), "moongate requests --where provider:"
      .. last.object)
  end
  if state.is_fleet then
    return fact.unknown(text .. "; nothing went there from here, and other gateways are not seen from here",
      "moongate checklist on each of them")
  end
  local one = fact.ok(text .. "; no request that came 1 s after it went there")
  one.as_of = last.at
  return one
end

-- --- alerts and backups ---

local WEEK = 7 * DAY

-- By the ledger process, or by the admin process; 0: never.
local function delivered_at(state, name)
  local others = state.registry.delivered or {}
  return math.max(state.ledger.delivered[name] or 0, others[name] or 0)
end

function operations.alerts(state)
  local why = fact.missing(state.ledger, "the ledger")
  if why then return why end
  local names, silent = report.keys(state.config.notify or {}), {}
  if #names == 0 then
    return fact.failing("nobody is told of anything",
      'notify = { ops = { kind = "webhook", url = "…", secret = env "…" } } in moongate.lua')
  end
  for _, name in ipairs(names) do
    local at = delivered_at(state, name)
    if state.now - at > WEEK then
      silent[#silent + 1] = at == 0 and name .. " (never)" or ("%s (%s)"):format(name, fact.day(at))
    end
  end
  if #silent > 0 then
    return fact.failing(("%d of %s taken nothing for 7 days"):format(#silent, fact.count(#names, "sink has",
      "sinks have")), "moongate sinks test", silent)
  end
  return fact.ok(("%s, each has taken a notice within 7 days"):format(fact.count(#names, "sink")))
end

local function check_age(state, found, what, most, cure, ...)
  local last = latest(state, ...)
  local age = last and state.now - last.at
  if not last then found[#found + 1] = { "failing", what .. " never", cure }
  elseif age > most then found[#found + 1] = { "failing", ("%s %s ago"):format(what, fact.span(age)), cure } end
  return last
end

function operations.backups(state)
  local why = fact.missing(state.registry, "the registry")
  if why then return why end
  local found = {}
  if state.is_fleet then
    return fact.unknown("PostgreSQL's own backups are not seen from here", "its operator's backup report")
  end
  check_age(state, found, "the ledger was backed up", WEEK, "moongate ledger backup FILE", "ledger.backup")
  check_age(state, found, "the registry was backed up", WEEK, "moongate registry backup FILE", "registry.backup")
  check_age(state, found, "a restore was tried", DRILL_S, "moongate registry restore --try FILE", "registry.trial",
    "registry.restore", "ledger.trial")
  return fact.of(found, "ledger and registry were backed up within 7 days, a restore was tried within 90")
end

return operations
