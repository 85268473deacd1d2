-- What policies/governance.lua says, for specs: asked of a loaded generation.
--
--   use "governed" { department = "claims" }   → the reviewers of its prompts, as JSON
--   use "governed" {}                          → all of it (core/store/governance.h)
local core, use = ...
local loaded = use "load"
local governance = use "constructors/governance"
local governing = use "governing"
local json = use "json"
local walk = use "explain/walk"

return function(question)
  if question.department then
    return json.encode(governance.reviewers(governing.rules(), question.department)), 0
  end
  return governing.text(walk.at_work(loaded.policies)), 0
end
