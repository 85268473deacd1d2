return apps { ["bot"] = { department = "engineering", owner = "tests" }, ["poor"] = { department = "engineering", owner = "tests" } }
