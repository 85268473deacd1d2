-- The applications that may call. A key names its app; the app's department counts where the key names none.

return apps {
  ["helpdesk"]  = { department = "support",     owner = "customer support", defaults = { data = "internal" } },
  ["code-tool"] = { department = "engineering", owner = "developer tools",  defaults = { task = "code" } },
}
