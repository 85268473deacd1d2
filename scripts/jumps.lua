-- Prices that are 1,000 times, or a thousandth of, those of the generation in force: asked of both when files are
-- loaded again (core/server/check_prices.c).
--
--   use "jumps" {} → what its targets cost now, as JSON
--   use "jumps" { old = … }      -- of another generation: reports what is too far from it, at its place in models.lua
local core, use = ...
local loaded = use "load"
local report = use "report"
local json = use "json"
local catalogue = use "catalogue"
local rates = use "rates"

-- Without what only this process knows.
local function plain(tier)
  local longs = {}
  for i, long in ipairs(tier.longs) do longs[i] = { rates = long.rates } end
  return { name = tier.name, rates = tier.rates, longs = longs }
end

local function period_of(name)
  local target = catalogue.targets[name]
  local price = target and catalogue.price_of(target)
  return price and rates.period_at(price, core.seconds())
end

local function snapshot()
  local out = {}
  for _, name in ipairs(catalogue.target_names) do
    local period, tiers = period_of(name), {}
    for i, tier in ipairs(period and period.tiers or {}) do tiers[i] = plain(tier) end
    if period then out[name] = { tiers = tiers } end
  end
  return out
end

-- A model's price stands once, and is told once.
local function compare(old)
  local told = {}
  for _, name in ipairs(catalogue.target_names) do
    local before, period = old[name], period_of(name)
    if before and period and not period.is_correction then
      rates.each_jump(before, period, function(path, text)
        if told[path] then return end
        told[path] = true
        report.at(path, "bad_amount", ("%s in force for %s"):format(text, name), rates.jump_cure)
      end)
    end
  end
end

return function(q)
  if not q.old then return json.encode(snapshot()), 0 end
  report.begin(loaded.models.file)
  compare(q.old)
  return "", 0
end
