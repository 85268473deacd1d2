local gw = require "moongate.test"
describe("data", function()
  local function load(data, apps)
    return gw.load_text { auth = "return auth { data = " .. data .. " }", apps = apps or "return apps { x = {}, y = { defaults = { data = 'public' } } }",
    a = "return policy { rules = { { 'r', annotate = { a = 'b' }, reason = 'x' } }, on_request = function(ctx) ctx:annotate('data', ctx.request.data) end }", chain = { "auth", "a" } }
  end
  it("has the class that the operator says where nobody does, and what headers of the house mean; callers only raise it", function()
    local mg = load "{ default = 'internal', headers = { ['X-Acme'] = { secret = 'restricted', open = 'public' } } }"
    local function class(app, headers, data) local r = mg:request { model = "one", as = { app = app }, headers = headers, data = data } return r.kind == "allow" and r.annotations.data or r.denied.code .. ": " .. r.denied.reason end
    assert.same({ "internal", "public", "restricted", "restricted", "internal", "public", "invalid_hint: header x-acme: 'hm' stands for no data class", "confidential", "internal" }, { class "x", class "y", class("x", { ["x-acme"] = "secret" }), class("x", { ["x-acme"] = "secret" }, "public"), class("x", {["x-acme"]="open"}), class("y", {["x-acme"]="open"}), class("y", {["x-acme"]="hm"}), class("x", nil, "confidential"),
    class("x", nil, "public") })
  end)
end)
