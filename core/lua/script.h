/*
 * The Lua half of the gateway: scripts/ (*.lua), compiled into the binary as text by the Makefile.
 *
 *     const struct embedded_script *boot = script_find(SLICE("scripts/boot.lua"));
 *
 * The texts live as long as the program and end with a NUL that the length does not count.
 */
#ifndef MOONGATE_LUA_SCRIPT_H
#define MOONGATE_LUA_SCRIPT_H

#include <stdint.h>

#include <lua.h>

#include "base/slice.h"

struct embedded_script {
    const char *name; /* "scripts/constructors/access.lua" */
    const char *text;
    uint64_t len;
};

/* Ends with an entry of zeros. */
extern const struct embedded_script script_table[];

/* NULL when there is none of that name. */
const struct embedded_script *script_find(struct slice name);

/* Pushes the script's chunk; may raise. Compiled once in a process: each further state loads what the first one made.
 */
void script_push(lua_State *L, const struct embedded_script *script);

#endif
