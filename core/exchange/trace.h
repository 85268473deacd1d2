/*
 * How a decision came about: each policy's and rule's word, in order. Written into the record, read by explain.
 * Slices live in the exchange's arena.
 */
#ifndef MOONGATE_EXCHANGE_TRACE_H
#define MOONGATE_EXCHANGE_TRACE_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"

struct trace_entry {
    struct slice policy, rule, verb, reason, mode; /* "access", "models.small.departments", "deny", "…", "enforce" */
    struct slice file;
    int line; /* 0: unknown */
};

struct trace {
    struct trace_entry *entries;
    size_t count, cap;
    size_t dropped; /* beyond LIMIT_TRACE_ENTRIES */
};

/* Copies the slices into the arena. */
void trace_add(struct trace *trace, struct arena *arena, const struct trace_entry *entry);

#endif
