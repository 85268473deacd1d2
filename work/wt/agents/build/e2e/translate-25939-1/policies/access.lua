return access { models = { closed = { departments = { "sales" }, data = "restricted" } }, default = "allow" }
