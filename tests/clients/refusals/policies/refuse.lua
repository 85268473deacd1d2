-- A user's message says how it is to be refused: "refuse 403", "refuse 429 after 1", "fail".
return policy {
  on_request = function(ctx)
    local text = ctx.request:last_user_text() or ""
    local status, after = text:match("refuse (%d+) after (%d+)")
    status = status or text:match("refuse (%d+)")
    if status then
      return deny { status = tonumber(status), code = "made_up", reason = "refused as it was asked for", retry_after = tonumber(after) }
    end
    if text:find("fail", 1, true) then error("as it was asked for") end
  end,
}
