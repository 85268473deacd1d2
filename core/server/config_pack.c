#include "server/config.h"

#include <string.h>

#include "base/mem.h"
#include "server/config_schema.h"

#define PACK_MAGIC 0x6d6f6f6e63666736ull

/* One walk over all rows, for writing and for reading: the two can never differ. */
struct walk {
    struct buf *out;     /* NULL when reading */
    struct slice in;     /* what is left to read */
    struct arena *arena; /* for what is read */
    bool is_good;
};

/* The next bytes of what is read; NULL: it ends before. */
static const char *take(struct walk *w, uint64_t len)
{
    const char *bytes = w->in.ptr;
    w->is_good = w->is_good && w->in.len >= len;
    if (!w->is_good) return NULL;
    w->in = slice_of(bytes + len, w->in.len - len);
    return bytes;
}

static void walk_bytes(struct walk *w, void *bytes, size_t len)
{
    if (w->out) {
        buf_append(w->out, slice_of(bytes, len));
        return;
    }
    const char *from = take(w, len);
    if (from) memcpy(bytes, from, len);
}

static void walk_text(struct walk *w, struct slice *text)
{
    uint64_t len = text->len;
    walk_bytes(w, &len, sizeof len);
    if (w->out) {
        if (len) buf_append(w->out, *text);
        return;
    }
    const char *from = take(w, len);
    if (from) *text = arena_copy(w->arena, slice_of(from, len));
}

/* A byte that is no bool must not become one. */
static void walk_flag(struct walk *w, bool *flag)
{
    unsigned char byte = *flag;
    walk_bytes(w, &byte, 1);
    w->is_good = w->is_good && byte <= 1;
    *flag = byte == 1;
}

static void walk_value(struct walk *w, const struct field *f, void *value)
{
    switch (f->type->store) {
    case STORE_TABLE: return;
    case STORE_TEXT: walk_text(w, value); return;
    case STORE_FLAG: walk_flag(w, value); return;
    case STORE_NUMBER:
    case STORE_DIGEST: walk_bytes(w, value, f->type->size); return;
    }
}

static void walk_list(struct walk *w, const struct field_list *list, struct field_homes *homes);

static void walk_fields(struct walk *w, const struct field *fields, struct field_homes *homes)
{
    for (const struct field *f = fields; f->name; f++) {
        if (f->group) walk_fields(w, f->group, homes);
        if (f->list) walk_list(w, f->list, homes);
        if (f->type->store != STORE_TABLE && f->home != HOME_DEFAULTS) walk_value(w, f, field_value(homes, f));
    }
}

static void walk_list(struct walk *w, const struct field_list *list, struct field_homes *homes)
{
    size_t known;
    char *items = list_items(list, homes, &known);
    uint64_t count = known;
    walk_bytes(w, &count, sizeof count);
    if (!w->out) {
        w->is_good = w->is_good && count <= list->items_max;
        if (!w->is_good) return;
        items = arena_zalloc(w->arena, ((size_t)count + 1) * list->item_bytes);
        list_set_items(list, homes, items, (size_t)count);
    }
    for (uint64_t i = 0; i < count; i++) {
        homes->at[list->home] = items + i * list->item_bytes;
        walk_text(w, (struct slice *)(void *)(items + i * list->item_bytes + list->name));
        walk_fields(w, list->fields, homes);
    }
}

static void walk_config(struct walk *w, const struct config *c)
{
    struct field_homes homes = field_homes_of(c);
    uint64_t magic = PACK_MAGIC;
    walk_bytes(w, &magic, sizeof magic);
    w->is_good = w->is_good && magic == PACK_MAGIC;
    walk_fields(w, given_fields, &homes);
    walk_fields(w, config_fields, &homes);
    walk_flag(w, &c->settings->has_postgres);
    walk_flag(w, &c->settings->has_redis);
}

void config_pack(const struct config *c, struct buf *out)
{
    struct walk w = {.out = out, .is_good = true};
    walk_config(&w, c);
}

struct config *config_unpack(struct slice bytes)
{
    struct config *c = mem_zalloc(1, sizeof *c);
    c->settings = settings_new();
    struct walk w = {.in = bytes, .arena = &c->settings->arena, .is_good = true};
    walk_config(&w, c);
    if (w.is_good && w.in.len == 0) return c;
    config_free(c);
    return NULL;
}
