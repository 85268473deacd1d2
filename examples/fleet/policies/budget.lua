return budget {
  budgets = { { "app", each = "app", limit = 100, per = "month" } },
  on_store_loss = "local",
}
