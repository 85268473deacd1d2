-- A gateway whose models are asked for what is no chat: pictures, sound, scores, files. Each by its own price.
--
--   gateway.start { mock = m, name = "side", policies = side.POLICIES }
--   form.of { { "file", side.SOUND, filename = "a.mp3" } }      -- bytes of all kinds, among them what looks like a form's
local calls = require("tests.e2e.kit.calls")
local form = require("tests.e2e.kit.form")

local side = {}

side.POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "guards", "redaction", "budget" }',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "api-key" } } }',
  ["access.lua"] = [[
local row = { departments = { "engineering" }, data = "internal" }
return access { default = "deny", models = { judge = row, rank = row, units = row, paint = row, ["paint-old"] = row, say = row,
  ["say-new"] = row, hear = row, ["hear-new"] = row, two = row, unpriced = row, dear = row, files = row, batches = row,
  conversations = row } }]],
  ["guards.lua"] = [[return policy { rules = { { "secret-project", when = { contains = "bluebird" }, deny = { 403, "not_that" } },
    { "no-pictures", when = { api = "files", uses = "images" }, deny = { 403, "no_pictures" } },
    { "no-variations", when = { api = "translations", model = "hear" }, deny = { 403, "not_translated" } } } }]],
  ["redaction.lua"] = 'return redaction { detect = { "email" }, request = { ["*"] = "mask" }, response = { ["*"] = "allow" }, restore = true }',
  ["budget.lua"] = 'return budget { budgets = { { "all", limit = 1000000, per = "year" } }, '
    .. 'thresholds = { { at = "100%", deny = { 402, "budget_exhausted" } } } }',
  ["models.lua"] = [[return models {
    judge = { targets = { "openai/moderation" }, price = free },
    rank  = { targets = { "openai/ranker" }, price = usd_per_million { input = "1000", output = "0" } },
    units = { targets = { "openai/rerank-v3" }, price = usd_per_million { input = "0", output = "0", per_search = "0.002" } },
    paint = { targets = { "openai/gpt-image-1" }, aliases = { "brush" },
      price = usd_per_million { input = "5", output = "0", image_input = "10", image_output = "40" } },
    ["paint-old"] = { targets = { "openai/dall-e-3" }, price = usd_per_million { input = "0", output = "0", per_image = "0.04" } },
    say       = { targets = { "openai/tts-1" }, price = usd_per_million { input = "0", output = "0", per_character = "0.000015" } },
    ["say-new"] = { targets = { "openai/gpt-4o-mini-tts" }, price = usd_per_million { input = "0.6", output = "0", audio_output = "12" } },
    hear      = { targets = { "openai/whisper-1" }, aliases = { "ears" }, price = usd_per_million { input = "0", output = "0", per_second = "0.0001" } },
    ["hear-new"] = { targets = { "openai/gpt-4o-transcribe" }, price = usd_per_million { input = "2.5", audio_input = "6", output = "10" } },
    two       = { targets = { "openai/whisper-2", "local/whisper-2" }, price = free },
    unpriced  = { targets = { "openai/gpt-image-9" }, price = usd_per_million { input = "5", output = "5" } },
    files     = { targets = { "openai/files" }, price = free }, batches = { targets = { "openai/batches" }, price = free },
    conversations = { targets = { "openai/conversations" }, price = free },
    dear      = { targets = { "openai/dear" }, price = ]] .. calls.PRICE .. [[ } }]],
}

local SOUND = {}
for i = 1, 5210 do SOUND[i] = string.char(i * 7 % 256) end
SOUND = table.concat(SOUND) .. "\r\n--\r\n--" .. form.BOUNDARY:sub(1, -2) .. "\r\n"
side.SOUND = SOUND

return side
