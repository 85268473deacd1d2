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

/* All into one piece of memory: for many short ones that is cheaper. */
static void copy_texts(struct arena *arena, struct slice **texts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += texts[i]->len;
    char *to = arena_alloc(arena, bytes);
    for (size_t i = 0; i < count; i++) {
        if (texts[i]->len) memcpy(to, texts[i]->ptr, texts[i]->len);
        texts[i]->ptr = to;
        to += texts[i]->len;
    }
}

void trace_add(struct trace *trace, struct arena *arena, const struct trace_entry *entry)
{
    if (trace->count == LIMIT_TRACE_ENTRIES) {
        trace->dropped++;
        return;
    }
    if (trace->count == trace->cap) grow(trace, arena);
    struct trace_entry *copy = &trace->entries[trace->count++];
    *copy = *entry;
    struct slice *texts[] = {&copy->policy, &copy->rule, &copy->verb, &copy->reason, &copy->mode, &copy->file};
    copy_texts(arena, texts, sizeof texts / sizeof texts[0]);
}
