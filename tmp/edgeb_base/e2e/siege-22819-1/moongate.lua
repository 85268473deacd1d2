return moongate.config {
  ["admin"] = {
    ["listen"] = "127.0.0.1:0",
  },
  ["data"] = "data",
  ["drain"] = {
    ["grace"] = "10s",
  },
  ["listen"] = "127.0.0.1:0",
  ["policies"] = "policies",
  ["providers"] = {
    ["anthropic"] = {
      ["key"] = env "OPENAI_API_KEY",
      ["kind"] = "openai",
      ["url"] = "http://127.0.0.1:46271/v1",
    },
    ["local"] = {
      ["key"] = env "OPENAI_API_KEY",
      ["kind"] = "openai",
      ["url"] = "http://127.0.0.1:46271/v1",
    },
    ["openai"] = {
      ["key"] = env "OPENAI_API_KEY",
      ["kind"] = "openai",
      ["url"] = "http://127.0.0.1:46271/v1",
    },
  },
  ["workers"] = 1,
}
