#include "wire/redact_changes.h"

#include "base/mem.h"

void redact_changes_clear(struct redact_changes *c)
{
    mem_free(c->items);
    arena_clear(&c->arena);
    *c = (struct redact_changes){0};
}

/* NULL: there is one at that place already. */
static struct redact_change *insert(struct redact_changes *c, uint32_t at)
{
    uint32_t i = c->count;
    while (i > 0 && c->items[i - 1].at > at)
        i--;
    if (i > 0 && c->items[i - 1].at == at) return NULL;
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 4;
        c->items = mem_realloc(c->items, c->cap * sizeof *c->items);
    }
    memmove(c->items + i + 1, c->items + i, (c->count - i) * sizeof *c->items);
    c->count++;
    return &c->items[i];
}

static void add(struct redact_changes *c, struct redact_change change)
{
    struct redact_change *place = insert(c, change.at);
    if (place) *place = change;
}

void redact_changes_text(struct redact_changes *c, uint32_t at, uint32_t len, struct slice text)
{
    struct buf json;
    buf_init(&json);
    buf_append_json(&json, text);
    redact_changes_json(c, at, len, buf_slice(&json));
    buf_clear(&json);
}

void redact_changes_json(struct redact_changes *c, uint32_t at, uint32_t len, struct slice json)
{
    add(c, (struct redact_change){at, len, arena_copy(&c->arena, json)});
}

void redact_changes_null(struct redact_changes *c, uint32_t at, uint32_t len)
{
    add(c, (struct redact_change){at, len, SLICE("null")});
}

void redact_changes_apply(const struct redact_changes *c, struct slice json, struct buf *out)
{
    size_t at = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct redact_change *change = &c->items[i];
        buf_append(out, slice_of(json.ptr + at, change->at - at));
        buf_append(out, change->json);
        at = change->at + change->len;
    }
    buf_append(out, slice_of(json.ptr + at, json.len - at));
}

/* The first change at `at` or behind it. */
static uint32_t first_from(const struct redact_changes *c, uint32_t at)
{
    uint32_t low = 0, high = c->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->items[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void redact_changes_move(const struct redact_changes *c, struct said_text *texts, uint32_t count)
{
    /* How far what follows each change has moved; unsigned arithmetic wraps, so to the left is one as well. */
    uint32_t *moved = mem_alloc((c->count + 1) * sizeof *moved);
    moved[0] = 0;
    for (uint32_t i = 0; i < c->count; i++)
        moved[i + 1] = moved[i] + (uint32_t)c->items[i].json.len - c->items[i].len;
    for (uint32_t t = 0; t < count; t++) {
        uint32_t i = first_from(c, texts[t].at), behind = first_from(c, texts[t].at + texts[t].len);
        texts[t].at += moved[i];
        texts[t].len += moved[behind] - moved[i];
    }
    mem_free(moved);
}
