/*
 * What models take: scripts/catalogue/traits.lua as C structs, read once in a process.
 *
 *     const struct traits *traits = traits_find(SLICE("some-model-2026-01-01"));     // never NULL
 */
#ifndef MOONGATE_LUA_TRAITS_H
#define MOONGATE_LUA_TRAITS_H

#include "base/slice.h"
#include "wire/translate/traits.h"

/* Of the model's family, found as counting_find() does; those of nobody where none fits. */
const struct traits *traits_find(struct slice model);
/* Is there one? */
bool traits_has(struct slice model);

#endif
