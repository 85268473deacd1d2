return moongate.config {
  ["admin"] = {
    ["listen"] = "127.0.0.1:0",
  },
  ["data"] = "data",
  ["drain"] = {
    ["grace"] = "10s",
  },
  ["listen"] = "127.0.0.1:0",
  ["notify"] = {
    ["slack"] = {
      ["command"] = {
        "/bin/true",
      },
      ["kind"] = "command",
    },
  },
  ["policies"] = "policies",
  ["providers"] = {
    ["anthropic"] = {
      ["breaker"] = false,
      ["key"] = env "OPENAI_API_KEY",
      ["kind"] = "anthropic",
      ["url"] = "http://127.0.0.1:35941/v1",
    },
    ["local"] = {
      ["breaker"] = false,
      ["key"] = env "OPENAI_API_KEY",
      ["kind"] = "openai",
      ["url"] = "http://127.0.0.1:35941/v1",
    },
    ["openai"] = {
      ["breaker"] = false,
      ["key"] = env "OPENAI_API_KEY",
      ["kind"] = "openai",
      ["url"] = "http://127.0.0.1:35941/v1",
    },
  },
  ["workers"] = 1,
}
