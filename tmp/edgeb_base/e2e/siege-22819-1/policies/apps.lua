-- The applications that may call, who answers for them, and what holds when a request does not say otherwise.
-- A key names its app; the app's department counts where the key names none.

return apps {
  ["demo"]           = { department = "engineering", owner = "platform team" },

  ["code-assistant"] = { department = "engineering", owner = "developer tools",
                         defaults = { data = "internal", task = "code" } },

  ["sales-copilot"]  = { department = "sales",       owner = "sales operations",
                         defaults = { data = "internal" } },

  ["support-bot"]    = { department = "support",     owner = "customer support",
                         defaults = { data = "internal", task = "chat", max_latency_ms = 2000 } },
}
