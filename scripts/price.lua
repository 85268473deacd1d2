-- What so many tokens cost at a model's targets: `moongate price`.
--
--   use "price" { model = "gpt-4o", parts = { input = 1000, cached_input = 200, output = 500 }, tier = "priority",
--     at = "2026-03-01", json = true } → text, 0 priced, 1 not or not all of it
--
-- The parts are disjoint (core/wire/usage.h), their names those of scripts/rates.lua.
local core, use = ...
use "load"
local report = use "report"
local json = use "json"
local catalogue = use "catalogue"
local rates = use "rates"
local request = use "request"
local calendar = use "calendar"

local function bad(text, ...) error(text:format(...), 0) end

-- Digits of an amount with so many decimals as people write it: "12.50", "0.000025"; at_least so many of them.
local function spell(digits, decimals, at_least)
  digits = ("0"):rep(decimals + 1 - #digits) .. digits
  local whole, part = digits:sub(1, -decimals - 1), digits:sub(-decimals):gsub("0+$", "")
  if part == "" and not at_least then return whole end
  return ("%s.%s"):format(whole, part .. ("0"):rep(2 - #part))
end

local function targets_of(name)
  local entry, target = catalogue.names[name], catalogue.targets[name]
  if target then return { target } end
  if not entry then
    local names = report.keys(catalogue.names)
    for _, one in ipairs(catalogue.target_names) do names[#names + 1] = one end
    local near = report.nearest(name, names)
    bad("there is no model or target '%s'%s", name, near and ": " .. near or "")
  end
  if entry.model.virtual then bad("'%s' runs nowhere of its own, routing chooses: name a model", name) end
  return entry.targets
end

local function time_of(at)
  if not at then return nil end
  local ok, seconds = pcall(request.seconds_of, #at == 10 and at .. "T00:00:00Z" or at)
  if not ok then bad("--at is written 2026-03-01 or 2026-03-01T12:00:00Z, not '%s'", at) end
  return seconds
end

-- The date from which these rates hold; nil: from ever.
local function effective_of(price, seconds)
  local period = rates.period_at(price, seconds)
  if not period or not period.from then return nil end
  local year, month, day = calendar.date_of(math.floor(period.from / 86400))
  return ("%04d-%02d-%02d"):format(year, month, day)
end

local piece = { per_request = true, per_image = true, per_search = true, per_tool_call = true,
  per_second = true, per_character = true }

local function line_of(line)
  return { part = line.part, count = line.count, usd = line.pico and spell(line.pico, 12) or nil,
    [piece[line.part] and "usd_each" or "usd_per_million"] =
      line.rate_pico and spell(line.rate_pico, piece[line.part] and 12 or 6, 2) }
end

local function bill_of(target, q, seconds)
  local price, is_default = catalogue.price_of(target)
  local model = target.owner
  local out = { target = target.name, model = model.name, source = model.source, as_of = model.as_of }
  if not price then
    out.state = "unpriced"
    return out
  end
  local bill = core.bill(price.handle, q.parts, q.tier, seconds)
  out.state, out.revision, out.effective = bill.state, price.revision, effective_of(price, bill.at)
  out.is_default, out.is_long, out.is_tier_missing = is_default or nil, bill.is_long or nil, bill.is_tier_missing or nil
  if bill.state == "unpriced" then return out end
  if bill.is_overflow then bad("that is more than can be counted") end
  out.cost_nano, out.cost_usd, out.lines = bill.nano, spell(bill.nano, 9), {}
  for _, line in ipairs(bill.lines) do
    local is_nothing = line.part == "per_request" and line.rate_pico == "0"
    if not is_nothing then out.lines[#out.lines + 1] = line_of(line) end
  end
  return out
end

-- --- for people ---

local function notes_of(bill, q)
  local notes = {}
  if bill.is_long then notes[#notes + 1] = "long-context rates" end
  if q.tier and bill.is_tier_missing then
    notes[#notes + 1] = ("the price names no tier '%s': the usual rates were taken"):format(q.tier)
  elseif q.tier then notes[#notes + 1] = "tier " .. q.tier end
  if bill.is_default then notes[#notes + 1] = "the price of [\"*\"], for targets without one" end
  if bill.effective then notes[#notes + 1] = "effective " .. bill.effective end
  return notes
end

local function render_line(out, line)
  if not line.usd then
    out[#out + 1] = ("  %-15s %12.0f × no rate"):format(line.part, line.count)
    return
  end
  out[#out + 1] = ("  %-15s %12.0f × %-10s %s"):format(line.part, line.count,
    line.usd_per_million or line.usd_each, line.usd)
end

local function render_bill(out, bill, q)
  if bill.state == "unpriced" then
    out[#out + 1] = ("%s  unpriced: %s"):format(bill.target,
      bill.revision and "its first price is not in force at that time" or "policies/models.lua has no price for it")
    return
  end
  local is_whole = true
  for _, line in ipairs(bill.lines) do is_whole = is_whole and line.usd ~= nil end
  out[#out + 1] = ("%s  %s USD%s"):format(bill.target, bill.cost_usd, is_whole and "" or ", and what has no rate")
  for _, line in ipairs(bill.lines) do render_line(out, line) end
  for _, note in ipairs(notes_of(bill, q)) do out[#out + 1] = "  " .. note end
  local read = bill.as_of and ("  read %s"):format(bill.as_of) or ""
  out[#out + 1] = ("  price %s%s%s"):format(bill.revision, read, bill.source and "  " .. bill.source or "")
end

return function(q)
  local seconds, bills, code = time_of(q.at), {}, 0
  for i, target in ipairs(targets_of(q.model)) do
    bills[i] = bill_of(target, q, seconds)
    if bills[i].state ~= "known" then code = 1 end
  end
  if q.json then return json.encode { model = q.model, tier = q.tier, at = q.at, targets = bills }, code end
  local out = {}
  for _, bill in ipairs(bills) do render_bill(out, bill, q) end
  return table.concat(out, "\n") .. "\n", code
end
