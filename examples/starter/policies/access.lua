-- Who may use which model, with what data.
-- data = the most sensitive class that a model may see: public < internal < confidential < restricted

return access {
  models = {
    ["gpt-4o"]      = { departments = { "engineering" }, data = "internal" },
    ["gpt-4o-mini"] = { departments = any,               data = "internal" },
  },

  default = "deny",    -- a model without a row belongs to nobody yet

  examples = {
    { as = { department = "engineering" }, model = "gpt-4o" },
    { as = { department = "support" },     model = "gpt-4o",                              deny = "department_not_authorized" },
    { as = { department = "support" },     model = "gpt-4o-mini", data = "confidential",  deny = "data_not_allowed" },
  },
}
