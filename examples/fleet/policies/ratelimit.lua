-- Ten an hour for each app, all at once if it likes, whichever gateway it asks.
return ratelimit {
  limits = { { "per-app", by = "app", requests = 10, per = "1h", burst = 10 } },
  on_store_loss = "local",   -- while Redis is away, each gateway lets through its half
}
