-- Which controls of four frameworks a fact of the checklist supports: ids alone, in nobody's words but ours. A fact is
-- evidence beside others; whether a control is satisfied, people judge.
--
--   controls.mapping()     → { frameworks = { … }, facts = { [id] = { eu_ai_act = { ids }, … } } }
--   controls.lists[name]   → set of the ids that the framework has
--
-- What was read, and when: `source` and `date` of each. Published lists of these mappings err (one calls A.6.2.8
-- "integration", one CC8.1 "capacity"): each id was looked up in the framework itself.
local controls = {}

controls.note = "Facts support controls beside other evidence; they do not by themselves satisfy one."

controls.frameworks = {
  eu_ai_act = { name = "EU AI Act", source = "Regulation (EU) 2024/1689, Official Journal L, 12 July 2024",
    date = "2026-11-29",
    dates = "Duties for stand-alone high-risk systems (Annex III) apply from 2 December 2027, by the amending act that "
      .. "the Council adopted on 29 June 2026." },
  iso_42001 = { name = "ISO/IEC 42001 Annex A", source = "ISO/IEC 42001:2023, Annex A", date = "2026-11-29" },
  soc2 = { name = "SOC 2", source = "AICPA TSP section 100, 2017 Trust Services Criteria, points of focus of 2022",
    date = "2026-11-29" },
  nist_ai_rmf = { name = "NIST AI RMF", source = "NIST AI 100-1, January 2023", date = "2026-11-29" },
}

-- "A.6.2.", 2, 8 → A.6.2.2 … A.6.2.8; "26(", 1, 2 → 26(1), 26(2)
local function add(set, prefix, first, last)
  for i = first, last do set[prefix .. i .. (prefix:find("(", 1, true) and ")" or "")] = true end
end

local function set_of(ranges)
  local set = {}
  for _, range in ipairs(ranges) do add(set, range[1], range[2], range[3]) end
  return set
end

-- All ids of each framework, but of the Act, of which these articles are for those who deploy or keep logs.
controls.lists = {
  eu_ai_act = set_of { { "12(", 1, 3 }, { "19(", 1, 2 }, { "26(", 1, 12 } },
  iso_42001 = set_of { { "A.2.", 2, 4 }, { "A.3.", 2, 3 }, { "A.4.", 2, 6 }, { "A.5.", 2, 5 }, { "A.6.1.", 2, 3 },
    { "A.6.2.", 2, 8 }, { "A.7.", 2, 6 }, { "A.8.", 2, 5 }, { "A.9.", 2, 4 }, { "A.10.", 2, 4 } },
  soc2 = set_of { { "CC1.", 1, 5 }, { "CC2.", 1, 3 }, { "CC3.", 1, 4 }, { "CC4.", 1, 2 }, { "CC5.", 1, 3 },
    { "CC6.", 1, 8 }, { "CC7.", 1, 5 }, { "CC8.", 1, 1 }, { "CC9.", 1, 2 }, { "A1.", 1, 3 }, { "C1.", 1, 2 } },
  nist_ai_rmf = set_of { { "GOVERN 1.", 1, 7 }, { "GOVERN 2.", 1, 3 }, { "GOVERN 3.", 1, 2 },
    { "GOVERN 4.", 1, 3 }, { "GOVERN 5.", 1, 2 }, { "GOVERN 6.", 1, 2 },
    { "MAP 1.", 1, 6 }, { "MAP 2.", 1, 3 }, { "MAP 3.", 1, 5 },
    { "MAP 4.", 1, 2 }, { "MAP 5.", 1, 2 }, { "MEASURE 1.", 1, 3 }, { "MEASURE 2.", 1, 13 }, { "MEASURE 3.", 1, 3 },
    { "MEASURE 4.", 1, 3 }, { "MANAGE 1.", 1, 4 }, { "MANAGE 2.", 1, 4 }, { "MANAGE 3.", 1, 2 },
    { "MANAGE 4.", 1, 3 } },
}

local order = { "eu_ai_act", "iso_42001", "soc2", "nist_ai_rmf" }
controls.order = order

-- fact → ids, in the order of the frameworks above.
controls.facts = {
  ["access.rows"] = { { "26(1)" }, { "A.9.2", "A.9.4" }, { "CC6.1", "CC6.3" }, { "GOVERN 1.4" } },
  ["data.classes"] = { {}, { "A.4.3", "A.9.2" }, { "C1.1", "CC6.7" }, { "MEASURE 2.10" } },
  ["approvals.sensitive"] = { { "26(1)", "26(2)" }, { "A.3.2", "A.9.2" }, { "CC6.2", "CC6.3" }, { "GOVERN 3.2" } },
  ["audit.trail"] = { { "12(1)", "19(1)", "26(6)" }, { "A.6.2.8" }, { "CC4.1", "CC7.2" }, { "MEASURE 2.8" } },
  ["reviews.current"] = { {}, { "A.9.2" }, { "CC6.2", "CC6.3" }, { "GOVERN 1.5" } },
  ["prompts.reviewed"] = { {}, { "A.6.2.4", "A.6.2.5" }, { "CC8.1" }, { "MANAGE 4.1" } },
  ["keys.owned"] = { {}, { "A.3.2" }, { "CC6.1", "CC6.2" }, { "GOVERN 2.1" } },
  ["people.leavers"] = { {}, { "A.3.2" }, { "CC6.1", "CC6.2" }, { "GOVERN 2.1" } },
  ["roles.separated"] = { {}, { "A.3.2" }, { "CC1.3", "CC6.3" }, { "GOVERN 2.1" } },
  ["break_glass.closed"] = { { "26(5)" }, { "A.8.4" }, { "CC7.4" }, { "MANAGE 4.3" } },
  ["bundle.signed"] = { {}, { "A.6.2.5" }, { "CC8.1" }, { "GOVERN 1.4", "MANAGE 4.1" } },
  ["bundle.one"] = { {}, { "A.6.2.5" }, { "CC8.1" }, { "GOVERN 1.4", "MANAGE 4.1" } },
  ["prices.current"] = { {}, { "A.4.2" }, {}, {} },
  ["budgets.set"] = { {}, { "A.4.2" }, {}, {} },
  ["providers.listed"] = { {}, { "A.4.2", "A.10.2", "A.10.3" }, { "CC9.2" },
    { "GOVERN 1.6", "GOVERN 6.1", "MANAGE 3.1" } },
  ["stop.works"] = { { "26(5)" }, { "A.6.2.6" }, { "CC7.4" }, { "MANAGE 2.4" } },
  ["alerts.arrive"] = { { "26(5)" }, { "A.6.2.6", "A.8.4" }, { "CC7.2", "A1.2" }, { "MANAGE 4.1" } },
  ["backup.fresh"] = { { "26(5)" }, { "A.6.2.6", "A.8.4" }, { "CC7.2", "A1.2" }, { "MANAGE 4.1" } },
}

-- For reports: frameworks that a fact has nothing in are left out of it.
function controls.mapping()
  local out = { frameworks = controls.frameworks, facts = {} }
  for fact, columns in pairs(controls.facts) do
    out.facts[fact] = {}
    for i, ids in ipairs(columns) do
      if #ids > 0 then out.facts[fact][order[i]] = ids end
    end
  end
  return out
end

return controls
