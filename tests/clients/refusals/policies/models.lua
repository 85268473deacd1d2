return models {
  any     = { targets = { "account/any" }, price = free },
  closed  = { targets = { "closed/any" }, price = free },
  nowhere = { targets = { "nobody/any" }, price = free, optional = true },
}
