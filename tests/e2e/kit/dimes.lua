-- What budgets are tested with: a token of output costs a dime and input nothing, so that what a request may cost is what
-- it asks for, and what it cost is what the mock says.
--
--   dimes.policies({ budget = dimes.budget(10), ratelimit = "…" }, { "ratelimit", "budget" })   -- files by name
--   dimes.body { tokens = 10, script = "usage_tokens=2" }      -- of "dear"; also model, stream, n, task
--   dimes.charged(g)  dimes.charged(g, "app=crm")              -- dimes, as the ledger sums them
--   dimes.is_left(40, ask)                    -- so many may be asked for, and no token more: nothing is held besides;
--                                             -- ask(of): the answer to such a body
local database = require("tests.e2e.kit.database")

local dimes = { DIME = 1e8 }

-- Input costs nothing, but of "read" and "two".
local MODELS = [[
return models {
  dear = { targets = { "openai/dear" }, context = 128000, counts_as = "gpt-4o",
    price = usd_per_million { input = "0", output = "100000" } },
  read = { targets = { "openai/read", "anthropic/again" }, context = 128000, counts_as = "gpt-4o",
    price = usd_per_million { input = "100000", output = "100000" } },
  two = { targets = { "openai/one", { "anthropic/cheap", price = usd_per_million { input = "0", output = "1000" } } },
    context = 128000, counts_as = "gpt-4o", price = usd_per_million { input = "100000", output = "100000" } },
}
]]
local AUTH = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n'

-- files: name → text; those of `order` that are there go into the chain.
function dimes.policies(files, order)
  local all, chain = { ["models.lua"] = MODELS, ["auth.lua"] = AUTH }, { '"auth"' }
  for name, text in pairs(files) do all[name .. ".lua"] = text end
  for _, name in ipairs(order or { "ratelimit", "budget" }) do
    if files[name] then chain[#chain + 1] = ("%q"):format(name) end
  end
  all["init.lua"] = "return chain { " .. table.concat(chain, ", ") .. " }\n"
  return all
end

-- So many dollars a month for each app; more: further fields of the policy.
function dimes.budget(usd, more)
  local text = 'return budget { budgets = { { "app", each = "app", limit = %s, per = "month" } }, %s }\n'
  return text:format(usd, more or "")
end

function dimes.body(of)
  return { model = of.model or "dear", max_tokens = of.tokens, stream = of.stream, n = of.n,
    metadata = { mock = of.script or "", moongate = of.task and { task = of.task } or nil },
    messages = { { role = "user", content = "hi" } } }
end

function dimes.charged(g, key)
  local sql = "SELECT coalesce(sum(nano), 0) FROM charges WHERE key = '%s'"
  return database.value(g.dir:path("data/ledger.db"), sql:format(key or "app=code-assistant")) / dimes.DIME
end

function dimes.is_left(tokens, ask)
  return ask({ tokens = tokens + 1 }).status == 402
    and ask({ tokens = tokens, script = "usage_tokens=0&tokens=1" }).status == 200
end

return dimes
