-- What loading says about a budget { … }: mistakes with their places and cures, rows that never act, callers that no row covers.
local gw = require "moongate.test"

local apps = "return apps { shop = { department = 'sales', session = { idle = '1h' } }, desk = { department = 'support' } }"

local function budget(rows, more) return "return budget { budgets = { " .. rows .. " }" .. (more and ", " .. more or "") .. " }" end

local row = "{ 'sales', department = 'sales', limit = 100, per = 'month' }"

describe("loading", function()
  local function said(rows, more)
    local list = gw.errors { apps = apps, a = budget(rows, more) }
    local own = {}
    for _, text in ipairs(list) do
      if not text:find("no budget holds for", 1, true) then own[#own + 1] = text end
    end
    return table.concat(own, "\n"), #own
  end

  local wrong = {
    ["{ 'x', limit = 10, per = '1m' }"] = "budgets[1].per: expected one of day, week, month, quarter, year, got the text '1m'",
    ["{ 'x', limit = 10, per = 'mont' }"] = "got the text 'mont' (did you mean 'month'?)",
    ["{ 'x', limit = 10 }"] = "'per' is missing: day, week, month, quarter or year",
    ["{ 'x', per = 'month' }"] = "'limit' is missing: limit = 5000, in USD",
    ["{ 'x', limit = '5,000', per = 'month' }"] = "budgets[1].limit: an amount is written 2500 or \"12.50\": USD with at most nine decimals, up to 4000000; got the text '5,000'",
    ["{ 'x', limit = -5, per = 'month' }"] = "an amount is written",
    ["{ 'x', limit = 5000000, per = 'month' }"] = "up to 4000000; got 5000000",
    ["{ 'x', limit = '4000000.5', per = 'month' }"] = "up to 4000000; got the text '4000000.5'",
    ["{ 'x', limit = '5.000,00', per = 'month' }"] = "got the text '5.000,00' (write 5000)",
    ["{ 'x', limit = '12,50', per = 'month' }"] = "got the text '12,50' (write 12.5)",
    ["{ 'x', limit = '$1,250', per = 'month' }"] = "got the text '$1,250' (write 1250)",
    ["{ 'x', limit = '1,250,000.75', per = 'month' }"] = "(write 1250000.75)",
    ["{ 'x', limit = 10, per = 'month', thresholds = {} }"] = "budgets[1].thresholds: no thresholds: this budget would warn nobody and block nothing (leave 'thresholds' out: then 100% denies)",
    ["{ 'x', limit = 0, per = 'month' }"] = "a budget of 0 lets nothing through",
    ["{ 'x', departement = 'sales', limit = 10, per = 'month' }"] = "budgets[1].departement: unknown field 'departement' in a budget (did you mean 'department'?)",
    ["{ 'x', dept = 'sales', limit = 10, per = 'month' }"] = "unknown field 'dept' in a budget (did you mean 'department'?)",
    ["{ 'x', by = 'app', limit = 10, per = 'month' }"] = "unknown field 'by' in a budget (did you mean 'each'?)",
    ["{ 'x', each = 'api_key', limit = 10, per = 'month' }"] = "got the text 'api_key' (did you mean 'key_id'?)",
    ["{ 'x', limit = 10, per = 'month', alerts = {} }"] = "unknown field 'alerts' in a budget (did you mean 'thresholds'?)",
    ["{ 'x', department = {}, limit = 10, per = 'month' }"] = "budgets[1].department: the list is empty: nobody has it",
    ["{ 'x', department = any, limit = 10, per = 'month' }"] = "got a predicate (for each of them: each = \"department\")",
    ["{ 'x', department = 'sales', each = 'department', limit = 10, per = 'month' }"] = "budgets[1].each: 'department' stands in this budget twice",
    ["{ 'x', cost_center = 'c', limit = 10, per = 'month' }"] = "unknown field 'cost_center' in a budget (a label of your keys? name it in auth.lua: labels = { … })",
    ["{ 'x', session = 's', limit = 10, per = 'month' }"] = "a session's budget is written each = \"session\"",
    ["{ 'x', each = 'session', limit = 10, per = 'day' }, { 'u', each = 'user', limit = 10, per = 'day' }"] = "a session's budget lasts as long as the session: leave 'per' out",
    ["{ 'x', each = 'session', limit = 10 }"] = "warning: budgets[1]: a caller can begin as many sessions as it likes (let a budget with each = \"user\"",
    ["{ 'x', app = 'shpo', limit = 10, per = 'month' }"] = "warning: budgets[1].app: never acts: app 'shpo' is not in policies/apps.lua (did you mean 'shop'?)",
    ["{ 'x', model = 'tow', limit = 10, per = 'month' }"] = "budgets[1].model: no model 'tow' in policies/models.lua (did you mean 'two'?)",
    ["{ limit = 10, per = 'month' }"] = "a budget begins with its name",
    [row .. ", " .. row:gsub("'sales'", "'support'", 2):gsub("'support'", "'sales'", 1)] = "two budgets are called 'sales'",
    ["{ 'default', limit = 10, per = 'month' }"] = "'default' is the name of the default: give this one another",
    [row .. ", { 'daily', department = 'sales', limit = 100, per = 'day' }"] = "warning: budgets[2]: never acts: 'sales' allows no more than $100 for the same callers",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = 0.8, warn = true } } }"] = "budgets[1].thresholds[1].at: a percentage is written \"80%\", with at most two decimals; got 0.8 (did you mean \"80%\"?)",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80 %', warn = true } } }"] = "got the text '80 %' (did you mean \"80%\"?)",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = 80, warn = true } } }"] = "got 80 (did you mean \"80%\"?)",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%' } } }"] = "this threshold does nothing: warn, notify, only, drop or deny",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%', warn = true, notfy = 'owner' } } }"] = "thresholds[1].notfy: unknown field of a threshold 'notfy' (did you mean 'notify'?)",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%', notify = '#ai-spend' } } }"] = "where it takes one: \"owner\", \"slack:#ai-spend\"; got the text '#ai-spend' (write \"slack:#ai-spend\")",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%', only = 'p/oen' } } }"] = "no target 'p/oen' in policies/models.lua (did you mean 'p/one'?)",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%', warn = true }, { at = '80%', warn = true } } }"] = "two thresholds stand at 80%",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '90%', deny = { 402, 'x' } }, { at = '95%', warn = true } } }"] = "warning: budgets[1].thresholds[2]: never reached: at 90% requests are denied",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%', warn = true, reason = 'x' } } }"] = "thresholds[1].reason: a reason is for who is refused: it stands beside deny",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '80%', deny = { 402, 'x' }, reason = '{nope}' } } }"] = "{nope} is no field of a request",
    ["{ 'x', limit = 10, per = 'month', [any] = 5 }"] = "a budget's fields have names; one here has a predicate",
    ["{ 'x', limit = 10, per = 'month', thresholds = { { at = '300%', warn = true } } }"] = "a threshold lies above 0% and up to 200%, got 300%",
  }
  for rows, words in pairs(wrong) do
    it("says what is wrong with " .. rows, function()
      local text, count = said(rows)
      assert.truthy(text:find(words, 1, true), text)
      assert.equal(1, count, text)
    end)
  end

  it("of the fields beside budgets", function()
    local fields = {
      ["currency = 'EUR'"] = "currency: amounts are USD, as the prices in models.lua are; got the text 'EUR'",
      ["default = { each = 'departmnt', limit = 5, per = 'month' }"] = "default.each: expected a field of the identity",
      ["default = { 'd', each = 'app', limit = 5, per = 'month' }"] = "default[1]: the default has no name of its own: leave it out",
      ["on_loss = 'open'"] = "unknown field 'on_loss' (did you mean 'on_store_loss'?)",
      ["timezone = 'UTC'"] = "unknown field 'timezone' (did you mean 'zone'?)",
      ["default = { limit = 5, per = 'month' }"] = "the default is for each of something: each = \"department\"",
      ["on_store_loss = 'fail'"] = "on_store_loss: expected one of open, closed, local",
      ["on_low_budget = 'cut'"] = "on_low_budget: expected one of deny, shrink",
      ["zone = 'Europe/Berln'"] = "unknown zone 'Europe/Berln'",
      ["treshold = {}"] = "unknown field 'treshold' (did you mean 'thresholds'?)",
      ["stream = { slice = 8 }"] = "stream.slice: expected a whole number of tokens, 16 to 1000000, got 8",
      ["stream = { slice = 64, on_exhausted = 'stop' }"] = "stream.on_exhausted: expected one of finish, cut",
      ["stream = { on_exhausted = 'cut' }"] = "slice",
      ["stream = true"] = "stream: expected a table",
      ["assumed_output_tokens = 'many'"] = "assumed_output_tokens: expected a whole number of tokens",
    }
    for field, words in pairs(fields) do
      local text, count = said(row, field)
      assert.truthy(text:find(words, 1, true), text)
      assert.equal(1, count, text)
    end
  end)

  it("warns of a row whose own thresholds leave it without one that denies", function()
    local own = "{ 'sales', department = 'sales', limit = 100, per = 'month', thresholds = { { at = '80%', warn = true } } }"
    local default = "default = { each = 'department', limit = 5, per = 'month' }"
    local denies = "thresholds = { { at = '90%', deny = { 402, 'x' } } }, " .. default
    local text = table.concat(gw.errors { apps = apps, a = budget(own, denies) }, "\n")
    assert.truthy(text:find("warning: budgets[1].thresholds: these stand in place of the file's thresholds, and none of them denies", 1, true), text)
    assert.same({}, gw.errors { apps = apps, a = budget(own, "thresholds = { { at = '90%', warn = true } }, " .. default) })
  end)

  it("warns of departments that no budget holds for", function()
    assert.same({ "policies/a.lua:1:15: warning: no budget holds for department support: neither a row nor a default (default = { each = \"department\", limit = 500, per = \"month\" })" },
      gw.errors { apps = apps, a = budget(row) })
    assert.same({}, gw.errors { apps = apps, a = budget(row, "default = { each = 'department', limit = 5, per = 'month' }") })
    assert.same({}, gw.errors { apps = apps, a = budget(row .. ", { 'apps', each = 'app', limit = 5, per = 'month' }") })
  end)

  it("warns of no row that acts: a week of two months, one whose first threshold is lower", function()
    local function said_of(other)
      return gw.errors { apps = apps, a = budget(row .. ", " .. other, "default = { each = 'department', limit = 5, per = 'month' }") }
    end
    assert.same({}, said_of "{ 'w', department = 'sales', limit = 150, per = 'week' }")
    assert.same({}, said_of "{ 'd', department = 'sales', limit = 150, per = 'day', thresholds = { { at = '50%', warn = true } } }")
    assert.equal(1, #said_of "{ 'm', department = 'sales', limit = 90, per = 'month', thresholds = { { at = '120%', deny = { 402, 'x' } } } }")
    assert.equal(1, #said_of "{ 'd', department = 'sales', limit = 50, per = 'day', thresholds = { { at = '200%', deny = { 402, 'x' } } } }")
  end)

  it("warns of a default that nobody comes to", function()
    local list = gw.errors { apps = apps, a = budget("{ 'all', each = 'department', limit = 5, per = 'day' }", "default = { each = 'department', limit = 5, per = 'month' }") }
    assert.equal(1, #list)
    assert.truthy(list[1]:find("warning: default: never acts: 'all' is there for each of them", 1, true), list[1])
  end)
end)
