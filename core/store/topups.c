#include "store/topups.h"

#include <stddef.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/topups_inner.h"

const struct section_shape topups_shape = {
    .kind = SECTION_TOPUPS,
    .version = 1,
    .table_count = TOPUPS_TABLES,
    .bytes_max = LIMIT_TOPUPS_BYTES,
    .tables = {
        [TOPUPS_ITEMS] = {.row_bytes = sizeof(struct topup_row),
                          .rows_max = LIMIT_TOPUPS,
                          .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct topup_row, id), 3,
                                       LIMIT_TOPUP_NAME_BYTES},
                                      {SECTION_COLUMN_ROW, offsetof(struct topup_row, next), 1, TOPUPS_ITEMS}}},
        [TOPUPS_SCOPES] = {.row_bytes = sizeof(struct topup_scope),
                           .rows_max = LIMIT_TOPUPS,
                           .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct topup_scope, scope), 1,
                                        LIMIT_TOPUP_NAME_BYTES},
                                       {SECTION_COLUMN_ROW, offsetof(struct topup_scope, last), 1, TOPUPS_ITEMS}}},
        [TOPUPS_BY_SCOPE] = {.rows_max = 4 * LIMIT_TOPUPS,
                             .is_index = true,
                             .index_of = TOPUPS_SCOPES,
                             .key_at = offsetof(struct topup_scope, scope)},
    }};

struct topups {
    unsigned refs;
    struct section *section; /* NULL: empty */
    const struct topup_row *items;
    uint32_t count;
};

/* ---- Having them. */

struct topups *topups_empty(void)
{
    struct topups *t = mem_zalloc(1, sizeof *t);
    t->refs = 1;
    return t;
}

/* A way along a scope goes down, and so it ends. */
static bool is_good(const struct topup_row *row, uint32_t at)
{
    return row->nano >= 1 && row->nano <= LIMIT_TOPUP_NANO && row->starts_at >= 0 && row->ends_at >= 1 &&
           row->budget.len > 0 && row->next <= at;
}

static struct topups *take(struct section *section, struct fault *why)
{
    if (!section) return NULL;
    struct topups *t = topups_empty();
    t->section = section;
    t->items = section_rows(section, TOPUPS_ITEMS, &t->count);
    for (uint32_t i = 0; i < t->count; i++) {
        if (is_good(&t->items[i], i)) continue;
        fault_set(why, FAULT_INTERNAL, "topups[%u]: out of its bounds", i);
        topups_unref(t);
        return NULL;
    }
    return t;
}

struct topups *topups_map(int fd, struct fault *why)
{
    return take(section_map(fd, &topups_shape, why), why);
}

struct topups *topups_copy(struct slice section, struct fault *why)
{
    return take(section_copy(section, &topups_shape, why), why);
}

struct topups *topups_ref(struct topups *topups)
{
    topups->refs++;
    return topups;
}

void topups_unref(struct topups *topups)
{
    if (!topups || --topups->refs > 0) return;
    section_unref(topups->section);
    mem_free(topups);
}

size_t topups_count(const struct topups *topups)
{
    return topups->count;
}

const struct section_about *topups_about(const struct topups *topups)
{
    return topups->section ? section_about(topups->section) : NULL;
}

void topups_at(const struct topups *topups, size_t index, struct slice *budget, struct slice *scope)
{
    check(index < topups->count);
    *budget = section_text(topups->section, topups->items[index].budget);
    *scope = section_text(topups->section, topups->items[index].scope);
}

/* ---- Asking. */

static bool is_live(const struct topup_row *item, int64_t now_s)
{
    return item->starts_at <= now_s && now_s < item->ends_at;
}

static void add(struct topups_sum *sum, const struct topup_row *item)
{
    sum->nano = item->nano < LIMIT_TOPUP_NANO - sum->nano ? sum->nano + item->nano : LIMIT_TOPUP_NANO;
    if (sum->count++ == 0 || item->ends_at < sum->ends_at) sum->ends_at = item->ends_at;
}

struct topups_sum topups_now(const struct topups *topups, struct slice budget, struct slice scope, int64_t now_s)
{
    uint32_t at, scopes;
    struct topups_sum sum = {0};
    if (!topups || topups->count == 0 || !section_find(topups->section, TOPUPS_BY_SCOPE, scope, &at)) return sum;
    const struct topup_scope *found = section_rows(topups->section, TOPUPS_SCOPES, &scopes);
    for (at = found[at].last;; at = topups->items[at].next) {
        const struct topup_row *item = &topups->items[at];
        if (is_live(item, now_s) && slice_equal(section_text(topups->section, item->budget), budget)) add(&sum, item);
        if (item->next == at) return sum;
    }
}
