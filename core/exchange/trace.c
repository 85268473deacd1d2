#include "exchange/trace.h"

#include <string.h>

static void grow(struct trace *trace, struct arena *arena)
{
    size_t cap = trace->cap ? trace->cap * 2 : 4; /* most have two or three */
    struct trace_entry *entries = arena_alloc(arena, cap * sizeof *entries);
    if (trace->count) memcpy(entries, trace->entries, trace->count * sizeof *entries);
    trace->entries = entries;
    trace->cap = cap;
}

void trace_add(struct trace *trace, struct arena *arena, const struct trace_entry *entry)
{
    if (trace->count == LIMIT_TRACE_ENTRIES) {
        trace->dropped++;
        return;
    }
    if (trace->count == trace->cap) grow(trace, arena);
    trace->entries[trace->count++] = (struct trace_entry){
        .policy = arena_copy(arena, entry->policy),
        .rule = arena_copy(arena, entry->rule),
        .verb = arena_copy(arena, entry->verb),
        .reason = arena_copy(arena, entry->reason),
        .mode = arena_copy(arena, entry->mode),
        .file = arena_copy(arena, entry->file),
        .line = entry->line,
    };
}
