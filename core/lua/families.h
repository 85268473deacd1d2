/*
 * Data about families of models, from a table of scripts/catalogue/: { { names = { "small", … }, … }, … }, read once
 * in a process into C structs.
 *
 *     static struct families traits = {.script = "scripts/catalogue/traits.lua", .size = …, .read = read_traits};
 *     const struct traits *t = families_find(&traits, SLICE("openai/some-model-2026-01-01"));     // NULL: none fits
 *
 * The data is the gateway's own: what is wrong with it is a bug. Values live as long as the process.
 */
#ifndef MOONGATE_LUA_FAMILIES_H
#define MOONGATE_LUA_FAMILIES_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/slice.h"

struct family {
    struct slice name; /* lower case */
    void *value;
};

struct families {
    const char *script;
    size_t size; /* of a value */
    /* Fills a zeroed value from the table at that index; raises what is wrong with it. */
    void (*read)(lua_State *L, int table, void *value);

    struct family *all; /* NULL: not read yet */
    size_t count;
};

/* The value of the family whose name the model's begins with, at its start or behind a "/", ":" or ".", case ignored;
 * the longest counts. */
const void *families_find(struct families *f, struct slice model);
/* The name of a value's family, for people; "" for one of none. */
const char *families_name(const struct families *f, const void *value);

/* For read(): fields of the table; 0 and false where there is none. */
int64_t family_whole(lua_State *L, int table, const char *field);
bool family_flag(lua_State *L, int table, const char *field);
/* The place of the field's text among `words`; 0 where there is none. Raises on any other. */
int family_word(lua_State *L, int table, const char *field, const char *const *words, int count);

#endif
