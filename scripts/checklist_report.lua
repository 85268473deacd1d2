-- The checklist as a document for people: `moongate checklist --report md|html`, GET /admin/v1/checklist.md, .html.
--
--   use "checklist_report" { report = { … }, sha256 = "…", format = "md" }   → the text, 0
--
-- What it is made from is the report of scripts/checklist.lua, which the hash is of: nothing is judged here. Texts that
-- others wrote (names of models, apps, accounts) are escaped for the format that they stand in.
local core, use = ...
local controls = use "catalogue/controls"

local out

local function put(format, ...) out[#out + 1] = select("#", ...) > 0 and format:format(...) or format end

-- "SOC 2 CC6.1, CC6.3"
local function supports(report, id)
  local parts, columns = {}, report.mapping.facts[id] or {}
  for _, name in ipairs(controls.order) do
    if columns[name] then
      parts[#parts + 1] = report.mapping.frameworks[name].name .. " " .. table.concat(columns[name], ", ")
    end
  end
  return table.concat(parts, "; ")
end

local function summary(report)
  local counts = report.counts
  return ("%d ok, %d attention, %d failing, %d unknown"):format(counts.ok, counts.attention, counts.failing,
    counts.unknown)
end

local check = "`jq -cjS .report | sha256sum` of the JSON report gives the same"

-- --- Markdown ---

local function md(text) return (tostring(text):gsub("[\\`*_%[%]<>|#]", "\\%0"):gsub("%s+", " ")) end

local function md_fact(report, one)
  put("### %s: %s", md(one.id), one.status)
  put("")
  put("%s", md(one.title))
  put("")
  put("* is: %s", md(one.value))
  put("* wanted: %s", md(one.wanted))
  if one.cure then put("* cure: %s", md(one.cure)) end
  for _, name in ipairs(one.evidence.sample) do put("* of these: %s", md(name)) end
  put("* as of %s; look with `%s`, or at %s", one.as_of, one.evidence.query, one.evidence.link)
  local text = supports(report, one.id)
  if text ~= "" then put("* supports: %s", md(text)) end
  put("")
end

local function markdown(report, sha256)
  put("# Governance of %s, %s", md(report.gateway), report.as_of)
  put("")
  put("%s. Traffic since %s, policies %.16s….", summary(report), report.since, report.policies)
  put("")
  put("| fact | status | is |")
  put("|---|---|---|")
  for _, one in ipairs(report.facts) do put("| %s | %s | %s |", md(one.id), one.status, md(one.value)) end
  put("")
  put("## Facts")
  put("")
  for _, one in ipairs(report.facts) do md_fact(report, one) end
  put("## What was read")
  put("")
  put("%s", md(report.note))
  put("")
  for _, name in ipairs(controls.order) do
    local one = report.mapping.frameworks[name]
    put("* %s: %s, read %s.%s", md(one.name), md(one.source), one.date, one.dates and " " .. md(one.dates) or "")
  end
  put("")
  put("SHA-256 of the report: `%s` (%s)", sha256, check)
end

-- --- HTML ---

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }
local function html(text) return (tostring(text):gsub("[&<>\"']", entities)) end

local style = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
  .. "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
  .. "border-bottom:1px solid #d5dae0}.ok{color:#1a7f37}.failing{color:#b3261e;font-weight:600}"
  .. ".unknown{color:#6f42c1;font-weight:600}.attention{color:#8a5a00;font-weight:600}small{color:#57606a}"
  .. "@media(prefers-color-scheme:dark){body{background:#0f1318;color:#dde3ea}th,td{border-color:#2c333b}"
  .. ".ok{color:#4cc26b}.failing{color:#ff7b72}.unknown{color:#c297ff}.attention{color:#e3b341}small{color:#98a2ad}}"

local function html_fact(report, one)
  local rest = { "wanted: " .. html(one.wanted) }
  if one.cure then rest[#rest + 1] = "cure: " .. html(one.cure) end
  for _, name in ipairs(one.evidence.sample) do rest[#rest + 1] = "of these: " .. html(name) end
  rest[#rest + 1] = ("as of %s; look with <code>%s</code>"):format(html(one.as_of), html(one.evidence.query))
  local text = supports(report, one.id)
  if text ~= "" then rest[#rest + 1] = "supports: " .. html(text) end
  put('<tr id="%s"><td class="%s">%s</td><td>%s<br><small>%s</small></td><td>%s<br><small>%s</small></td></tr>',
    html(one.id), one.status, one.status, html(one.id), html(one.title), html(one.value), table.concat(rest, "<br>"))
end

local function page(report, sha256)
  local title = html(report.gateway)
  put('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Governance of %s</title>', title)
  put("<style>%s</style></head>", style)
  put("<body><h1>Governance of %s</h1><p>%s, at %s. Traffic since %s, policies <code>%s</code>.</p>", title,
    summary(report), html(report.as_of), html(report.since), html(report.policies))
  put("<table><thead><tr><th>status</th><th>fact</th><th>is</th></tr></thead><tbody>")
  for _, one in ipairs(report.facts) do html_fact(report, one) end
  put("</tbody></table><h2>What was read</h2><p>%s</p><ul>", html(report.note))
  for _, name in ipairs(controls.order) do
    local one = report.mapping.frameworks[name]
    put("<li>%s: %s, read %s. %s</li>", html(one.name), html(one.source), one.date, html(one.dates or ""))
  end
  put("</ul><p>SHA-256 of the report: <code>%s</code><br><small>%s</small></p></body></html>", sha256, html(check))
end

local formats = { md = markdown, html = page }

return function(q)
  local write = formats[q.format] or error(("a report is md, html or json, not '%s'"):format(tostring(q.format)), 0)
  out = {}
  write(q.report, q.sha256)
  return table.concat(out, "\n") .. "\n", 0
end
