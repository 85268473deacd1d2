/*
 * Which globals a chunk of Lua reads and sets, in all its functions, without running it: a misspelt name inside a hook
 * is found when the file is loaded, not when the hook first comes that way.
 *
 *     char out[GLOBALS_BYTES_MAX];
 *     size_t len = globals_find(text, out, sizeof out);   // "12\tget\tpcall\n", a line each
 *
 * Compiles in a Lua state of its own, made once for the process; the bytecode says what is global, so scopes are those
 * of Lua itself. Single-threaded. Nothing for a text that does not compile. What does not fit is left out.
 */
#ifndef MOONGATE_LUA_GLOBALS_H
#define MOONGATE_LUA_GLOBALS_H

#include <stddef.h>

#include "base/slice.h"

#define GLOBALS_BYTES_MAX 16384u

size_t globals_find(struct slice text, char *out, size_t size);

#endif
