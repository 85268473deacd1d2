/*
 * Says what policies may write, read off the schema that validates them: types for editors, names for luacheck.
 *
 *     struct buf out;
 *     if (!describe_policies("types", &out, &why)) ...      // types/moongate.d.lua for LuaLS
 *     if (!describe_policies("test_types", &out, &why)) ... // types/moongate_test.d.lua, for specs
 *     if (!describe_policies("luacheckrc", &out, &why)) ...
 *
 * Runs scripts/describe.lua in a state of its own, over an empty bundle.
 */
#ifndef MOONGATE_LUA_DESCRIBE_H
#define MOONGATE_LUA_DESCRIBE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/fault.h"

/* Appends; false and *why when the scripts raised. */
bool describe_policies(const char *wanted, struct buf *out, struct fault *why);

#endif
