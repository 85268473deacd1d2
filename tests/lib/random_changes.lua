-- Changes of random bundles by chance, as a person might edit them: one condition, one row, one rule, the order of the chain.
--
--   local changes = dofile("tests/lib/random_changes.lua")(random)      -- random: tests/lib/random_policies.lua, widened
--   local files, chain = changes.one(files, chain)                      -- changed copies; value: of random.small_bundle()
--
-- files may hold models as text, beside the definitions.
return function(random)
  local pick, chance, number = random.pick, random.chance, random.number
  local changes = {}

  local models = { "one", "two", "own" }
  local verbs = { house = { "deny", "deny", "only", "drop", "pass", "annotate", "route" }, access = { "deny", "only", "drop", "pass" },
    routing = { "route" } }

  changes.models = {}
  for i, extra in ipairs { "", [[["three"] = { targets = { "p/three" }, price = free },]] } do
    for j, alias in ipairs { "", [[, aliases = { "uno" }]] } do
      changes.models[2 * i + j - 2] = [[return models { auto = { virtual = true }, ]] .. extra .. [[
        ["one"] = { targets = { "p/one" }, price = free ]] .. alias .. [[ },
        ["two"] = { targets = { "p/two", "q/two" }, aliases = { "deux" }, snapshots = { "two-2024-08-06" }, price = free },
        ["own"] = { targets = { { "local/own", region = "eu", label = "self-hosted" } }, price = free } }]]
    end
  end

  -- A file that has rules, and one of them.
  local function some_rule(files)
    local name = pick { "house", "house", "house", "routing", "access" }
    local rules = files[name].rules
    if not rules or #rules == 0 then name, rules = "house", files.house.rules end
    if #rules == 0 then return {}, name, rules, 1 end
    local i = number(#rules)
    return rules[i], name, rules, i
  end

  local function fitting(rule)
    if type(rule.when) == "table" and not rule.deny then rule.when.called = nil end
    if type(rule.unless) == "table" then rule.unless.called = nil end
  end

  -- One key more, less or otherwise.
  local function change_keys(conditions)
    local keys = {}
    for key in pairs(conditions) do keys[#keys + 1] = key end
    table.sort(keys)
    local other = random.conditions(1)
    if #keys == 0 or conditions._source or other._source then return other end
    if chance(30) then conditions[pick(keys)] = nil end
    if conditions.share == nil then conditions.sticky = nil end -- it says whose share it is
    if chance(40) then
      for key, value in pairs(other) do conditions[key] = value end
    end
    local key = pick(keys)
    local value = conditions[key]
    if type(value) == "table" and not value._source and #value > 1 then table.remove(value, number(#value))
    elseif type(value) == "table" and value._source and not value._source:find("between", 1, true) then
      conditions[key] = random.source((value._source:gsub("%d%d%d+", function(n) return tostring(tonumber(n) + pick { -1000, 1000, 1 }) end)))
    elseif key ~= "sticky" and chance(50) then conditions[key] = random.condition(key) end
    return next(conditions) and conditions or nil
  end

  local made = 100
  local kinds = {
    function(files)
      local rule = some_rule(files)
      if rule[1] then rule.when = change_keys(rule.when or {}) end
      fitting(rule)
    end,
    function(files)
      local rule = some_rule(files)
      if rule[1] then rule.unless = change_keys(rule.unless or {}) end
      fitting(rule)
    end,
    function(files)
      local _, name, rules = some_rule(files)
      made = made + 1
      table.insert(rules, number(#rules + 1), random.rule(made, verbs[name]))
    end,
    function(files)
      local _, _, rules, i = some_rule(files)
      if #rules > 1 then table.remove(rules, i) end
    end,
    function(files)
      local rule, _, rules, i = some_rule(files)
      if #rules > 1 then table.insert(rules, number(#rules), table.remove(rules, i)) end
      return rule
    end,
    function(files)
      local rule = some_rule(files)
      if rule[1] then rule.mode = pick { "enforce", "observe", "off" } end
    end,
    function(files)
      local rule = some_rule(files)
      for _, verb in ipairs { "only", "drop", "route" } do
        if rule[verb] then rule[verb] = random.some({ "p/one", "p/two", "q/two", "local/own" }, 3) end
        if rule[verb] and verb ~= "route" and chance(30) then rule[verb] = pick { { region = "eu" }, { "p/*" }, { "two" }, "*" } end
      end
    end,
    function(files) files.access.models[pick(models)] = random.row() end,
    function(files) files.access.models[pick(models)] = nil end,
    function(files) files.access.default = pick { "deny", "allow" } end,
    function(files) files.house.mode = pick { "enforce", "observe", "off" } end,
    function(files) files.routing.mode = pick { "enforce", "observe" } end,
    function(files) files.auth.require = chance(50) and { "department" } or nil end,
    function(files) files.auth.default_app = chance(50) and files.apps and "plain" or nil end,
    function(files)
      if files.apps and chance(30) then files.apps.rich.tags, files.apps.plain.tags = files.apps.plain.tags, files.apps.rich.tags end
      if files.apps then files.apps.rich.defaults = { data = pick { "public", "internal", "confidential" } } end
    end,
    function(files)
      if files.apps then files.apps.stranger = not files.apps.stranger and {} or nil end
    end,
    function(files)
      if random.is_wide() then return end -- conditions may name tags of apps, now or after the next change
      files.apps = not files.apps and { _kind = "apps", plain = { tags = { grade = "low" } }, rich = { tags = { grade = "high" } } } or nil
      if not files.apps then files.auth.default_app = nil end
    end,
    function(files) files.models = pick(changes.models) end,
    function(files) files.routing.choose_for = pick { { "auto" }, { "auto", "one" }, "two" } end,
    function(_, chain)
      local i, j = number(#chain), number(#chain)
      chain[i], chain[j] = chain[j], chain[i]
    end,
    function(_, chain)
      if #chain > 3 then table.remove(chain, number(#chain)) end
    end,
  }

  function changes.one(files, chain)
    files, chain = random.copy(files), random.copy(chain)
    for _ = 1, pick { 1, 1, 2 } do pick(kinds)(files, chain) end
    return files, chain
  end

  -- Of a small bundle: one value of one condition.
  function changes.value(files, chain)
    files = random.copy(files)
    local rule = pick(files.house.rules)
    local field = rule.unless and chance(30) and "unless" or "when"
    local keys = {}
    for key in pairs(rule[field]) do keys[#keys + 1] = key end
    if #keys == 0 then return files, chain end
    table.sort(keys)
    local key = pick(keys)
    rule[field][key] = random.condition(key)
    return files, chain
  end

  return changes
end
