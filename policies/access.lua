-- Who may use which model, with what data.
-- data = the most sensitive class that a model may see: public < internal < confidential < restricted
--
-- This holds for the model that is called, not only for the one that was asked for: a dated snapshot stands under its
-- model's row, and "auto" never leads to a model that the caller could not have named.

return access {
  models = {
    ["gpt-4o"]                 = { departments = { "engineering", "product" }, data = "internal" },
    ["gpt-4.1"]                = { departments = { "engineering", "product" }, data = "internal" },
    ["gpt-5"]                  = { departments = { "engineering", "product" }, data = "internal" },
    ["gpt-4o-mini"]            = { departments = any, data = "internal" },
    ["gpt-4.1-mini"]           = { departments = any, data = "internal" },
    ["gpt-5-mini"]             = { departments = any, data = "internal" },
    ["text-embedding-3-small"] = { departments = any, data = "internal" },
    ["text-embedding-ada-002"] = { departments = any, data = "internal" },

    ["claude-3-opus"]          = { departments = { "research" }, data = "confidential", approval = "manager" },
    ["claude-3-5-sonnet"]      = { departments = any, data = "confidential" },
    ["claude-sonnet-4-5"]      = { departments = any, data = "confidential" },
    ["claude-3-5-haiku"]       = { departments = any, data = "internal" },
    ["claude-haiku-4-5"]       = { departments = any, data = "internal" },

    ["llama-3.1-70b"]          = { departments = any, data = "restricted" },    -- runs in our own racks
  },

  default = "deny",    -- a model without a row belongs to nobody yet

  rules = {
    { "no-tools-for-contractors",
      when   = { department = "contractors", uses = { "tools", "hosted_tools", "remote_mcp" } },
      deny   = { 403, "tools_not_allowed" },
      reason = "{department} may not run tools through {model}" },

    { "sensitive-stays-home",
      when   = { data = at_least "restricted" },
      only   = { "local/*" },
      reason = "{data} data stays on self-hosted models" },
  },

  examples = {
    { as = { department = "engineering" }, model = "gpt-4o" },
    { as = { department = "engineering" }, model = "gpt-4o-2024-08-06",              route = "openai/gpt-4o-2024-08-06" },
    { as = { department = "sales" },       model = "gpt-4o",                         deny = "department_not_authorized" },
    { as = { department = "sales" },       model = "gpt-4o-2024-08-06",              deny = "department_not_authorized" },
    { as = {},                             model = "gpt-4o",                         deny = "department_not_authorized" },
    { as = { department = "engineering" }, model = "gpt-4o", data = "confidential",  deny = "data_not_allowed" },
    { as = { department = "research" },    model = "claude-3-opus",                  deny = "approval_required" },
    { as = { department = "research", approvals = { "claude-3-opus" } }, model = "claude-3-opus" },
    { as = { department = "sales" },       model = "llama", data = "restricted",     route = "local/llama-3.1-70b" },
    { as = { department = "contractors" }, model = "gpt-4o-mini", tools = true,      deny = "tools_not_allowed" },
  },
}
