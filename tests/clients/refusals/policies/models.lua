return models {
  any     = { targets = { "account/any", "claude/any" }, price = free },
  closed  = { targets = { "closed/any", "shut/any" }, price = free },
  good    = { targets = { "good/any" }, price = free },
  gems    = { targets = { "google/any" }, price = free },
  nowhere = { targets = { "nobody/any" }, price = free, optional = true },
}
