-- How the functions are called that the schema has no rows for: of the libraries, of the conversation with specs, and
-- of moongate.lua. For editors (scripts/describe.lua);
-- tests/e2e/tools_spec.lua holds the names to those that there are.
local signatures = {}

-- Classes that the functions below speak of, as LuaLS reads them.
signatures.classes = {
  ["mg.http.options"] = { "json? any sent as JSON, with its content-type", "body? string sent as it is",
    "headers? table<string, string>", "timeout? string|number \"200ms\", \"2s\", or seconds",
    "auth? string \"secret:name\", a secret of egress in moongate.lua" },
  ["mg.http.reply"] = { "status integer", "headers table<string, string> names in lower case", "body string",
    "json any nil when the body is none" },
}

local LEVEL = { "text: string" }

-- name → { parameters…, returns = … }; "name?" may be left out.
signatures.functions = {
  ["cache.get"] = { "key: string", returns = "any" },
  ["cache.set"] = { "key: string", "value: string|number|boolean|table", "ttl: string|number" },
  ["redis.get"] = { "key: string", returns = "any, string? err" },
  ["redis.set"] = { "key: string", "value: string|number|boolean|table|nil", "ttl?: string|number",
    returns = "boolean?, string? err" },
  ["redis.incr"] = { "key: string", "ttl: string|number", "by?: integer", returns = "integer?, string? err" },
  ["redis.delete"] = { "key: string", returns = "boolean?, string? err" },
  ["http.get"] = { "url: string", "options?: mg.http.options",
    returns = "mg.http.reply?, string? err, mg.http.reply? refused" },
  ["http.post"] = { "url: string", "options?: mg.http.options",
    returns = "mg.http.reply?, string? err, mg.http.reply? refused" },
  ["http.is_listed"] = { "url: string", returns = "boolean" },
  ["json.encode"] = { "value: any", returns = "string" },
  ["json.decode"] = { "text: string", returns = "any, string? err" },
  ["json.array"] = { "list?: table", returns = "table" },
  ["json.object"] = { "map?: table", returns = "table" },
  ["log.debug"] = LEVEL, ["log.info"] = LEVEL, ["log.warn"] = LEVEL, ["log.error"] = LEVEL,
  ["metrics.counter"] = { "name: string", returns = "fun(labels?: table<string, string|number|boolean>, n?: number)" },
  ["metrics.histogram"] = { "name: string",
    returns = "fun(seconds: number, labels?: table<string, string|number|boolean>)" },
  ["time.date"] = { "t: number", "zone?: string", returns = "string" },
  ["time.format"] = { "t: number", "pattern: string", "zone?: string", returns = "string" },
  ["time.hour"] = { "t: number", "zone?: string", returns = "integer" },
  ["time.minute"] = { "t: number", "zone?: string", returns = "integer" },
  ["time.weekday"] = { "t: number", "zone?: string",
    returns = "\"mon\"|\"tue\"|\"wed\"|\"thu\"|\"fri\"|\"sat\"|\"sun\"" },
  ["trace.span"] = { "name: string", "f: function", returns = "any" },
  file = { "path: string", returns = "table" },
  require = { "name: string", returns = "table" },
  together = { "f: function", "...: function", returns = "any ..." },
}

-- moongate.lua and specs: they are other files than policies, and editors see all of them at once.
signatures.elsewhere = [[
---moongate.lua; `moongate help config` has every field.
moongate = {}

---@param fields table
---@return table
function moongate.config(fields) end

---@param name string of an environment variable of the gateway's start
---@return table
---@nodiscard
function env(name) end

---@class mg.test.reply
---@field kind "allow"|"deny"|"fault"
---@field denied? { status: integer, code: string, reason: string, policy: string, rule: string }
---@field route? { targets: string[] }
---@field request table the body as it would be sent
---@field model string?
---@field models string[]?
---@field warnings table
---@field annotations table
---@field record? { durability?: string, intent: boolean, prompt: boolean, answer: boolean } what policies want of it
---@field trace table
---@field fault string?
---@field delivered string? of mg:respond
---@field outcome string? of mg:respond
---@field answer table? of mg:respond, when a later hook refused

---@class mg.test.gateway
---@field sent table[] notices that went out
---@field metrics table<string, number>
---@field logs table[]
---@field request fun(self, of: table): mg.test.reply
---@field respond fun(self, of: table, answer: table): mg.test.reply
---@field explain fun(self, of: table): table
---@field record fun(self, of: table): mg.test.reply, string the record that the gateway would keep, as JSON
---@field replay fun(self, record: string): table outcome, differences, missing
---@field stub fun(self, call: string, answer: fun(request: table): table?, string?)
---@field clock fun(self, time: string)
---@field advance fun(self, duration: string)
---@field spend fun(self, of: table)
---@field store_down fun(self)
---@field store_up fun(self)
---@field memory fun(self): integer

---@class mg.test
---@field load fun(files: string[]): mg.test.gateway
---@field load_chain fun(path?: string): mg.test.gateway
---@field diff fun(old: table, new: table, form?: string): any
---@field trace fun(reply: mg.test.reply): string
---@field load_text fun(files: table<string, string>): mg.test.gateway
---@field errors fun(files: table<string, string>): string
---@field codes fun(files: table<string, string>): string[]

---@class mg.test.assert: luassert
---@overload fun(value: any, message?: any, ...): any
---@field allowed fun(reply: mg.test.reply)
---@field denied fun(reply: mg.test.reply, status?: integer, code?: string)
---@field routed_to fun(reply: mg.test.reply, target: string)
---@field explained_by fun(reply: mg.test.reply, rule: string)
---@field faulted fun(reply: mg.test.reply, text?: string)
---@field [string] any

---@type mg.test.assert
assert = assert

---@param name string
---@param body fun()
function describe(name, body) end

---@param name string
---@param body fun()
function it(name, body) end

---@param name string
---@param body? fun()
function pending(name, body) end

---@param body fun()
function setup(body) end

---@param body fun()
function teardown(body) end

---@param body fun()
function before_each(body) end

---@param body fun()
function after_each(body) end
]]

-- types/moongate_test.d.lua: what `require "moongate.test"` gives.
signatures.test_module = [[
---@meta moongate.test
-- Written by `moongate init`; made again with `moongate init --types`.

---@type mg.test
return {}
]]

return signatures
