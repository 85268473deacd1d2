/*
 * Which rules count for a model: scripts/catalogue/counting.lua as C structs, read once in a process.
 *
 *     const struct count_rules *rules = counting_find(SLICE("openai/some-model-2026-01-01"));   // NULL: no family fits
 *
 * The data is the gateway's own: what is wrong with it is a bug. Rules live as long as the process.
 */
#ifndef MOONGATE_LUA_COUNTING_H
#define MOONGATE_LUA_COUNTING_H

#include "base/slice.h"
#include "wire/count_rules.h"

/* The family whose name the model's begins with, at its start or behind a "/", ":" or ".", case ignored; the longest
 * counts. */
const struct count_rules *counting_find(struct slice model);
/* The family's name for people, "" for rules of none. */
const char *counting_family(const struct count_rules *rules);

#endif
