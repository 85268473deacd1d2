#include "store/grants.h"

#include <stddef.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store/section/build.h"

enum { GRANTS_ITEMS, GRANTS_SUBJECTS, GRANTS_BY_SUBJECT, GRANTS_TABLES };

struct grant_row {
    int64_t starts_at, ends_at;
    struct section_text id, subject, model, purpose;
    uint32_t next; /* one before it of the same subject; itself: there is none */
    uint32_t kind;
};

struct subject_row {
    struct section_text subject;
    uint32_t last, reserved; /* last: the row of GRANTS_ITEMS that came last */
};

static const struct section_shape shape = {
    .kind = SECTION_GRANTS,
    .version = 1,
    .table_count = GRANTS_TABLES,
    .bytes_max = LIMIT_GRANTS_BYTES,
    .tables = {
        [GRANTS_ITEMS] = {.row_bytes = sizeof(struct grant_row),
                          .rows_max = LIMIT_GRANTS,
                          .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct grant_row, id), 4, LIMIT_GRANT_TEXT_BYTES},
                                      {SECTION_COLUMN_ROW, offsetof(struct grant_row, next), 1, GRANTS_ITEMS}}},
        [GRANTS_SUBJECTS] = {.row_bytes = sizeof(struct subject_row),
                             .rows_max = LIMIT_GRANTS,
                             .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct subject_row, subject), 1,
                                          LIMIT_GRANT_TEXT_BYTES},
                                         {SECTION_COLUMN_ROW, offsetof(struct subject_row, last), 1, GRANTS_ITEMS}}},
        [GRANTS_BY_SUBJECT] = {.rows_max = 4 * LIMIT_GRANTS,
                               .is_index = true,
                               .index_of = GRANTS_SUBJECTS,
                               .key_at = offsetof(struct subject_row, subject)},
    }};

struct grants {
    unsigned refs;
    struct section *section; /* NULL: empty */
    const struct grant_row *items;
    uint32_t count;
};

/* ---- Having them. */

struct grants *grants_empty(void)
{
    struct grants *g = mem_zalloc(1, sizeof *g);
    g->refs = 1;
    return g;
}

/* A way along a subject goes down, and so it ends. */
static struct grants *take(struct section *section, struct fault *why)
{
    if (!section) return NULL;
    struct grants *g = grants_empty();
    g->section = section;
    g->items = section_rows(section, GRANTS_ITEMS, &g->count);
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->items[i].next <= i && g->items[i].kind <= GRANT_REQUEST) continue;
        fault_set(why, FAULT_INTERNAL, "grants[%u]: out of its bounds", i);
        grants_unref(g);
        return NULL;
    }
    return g;
}

struct grants *grants_map(int fd, struct fault *why)
{
    return take(section_map(fd, &shape, why), why);
}

struct grants *grants_copy(struct slice section, struct fault *why)
{
    return take(section_copy(section, &shape, why), why);
}

struct grants *grants_ref(struct grants *grants)
{
    grants->refs++;
    return grants;
}

void grants_unref(struct grants *grants)
{
    if (!grants || --grants->refs > 0) return;
    section_unref(grants->section);
    mem_free(grants);
}

size_t grants_count(const struct grants *grants)
{
    return grants->count;
}

const struct section_about *grants_about(const struct grants *grants)
{
    return grants->section ? section_about(grants->section) : NULL;
}

/* ---- Asking. */

static bool find_last(const struct grants *g, struct slice subject, uint32_t *at)
{
    uint32_t row, count;
    if (!g || !g->section || !section_find(g->section, GRANTS_BY_SUBJECT, subject, &row)) return false;
    *at = ((const struct subject_row *)section_rows(g->section, GRANTS_SUBJECTS, &count))[row].last;
    return true;
}

static struct grant read(const struct grants *g, uint32_t at)
{
    const struct grant_row *row = &g->items[at];
    return (struct grant){.id = section_text(g->section, row->id),
                          .subject = section_text(g->section, row->subject),
                          .model = section_text(g->section, row->model),
                          .purpose = section_text(g->section, row->purpose),
                          .starts_at = row->starts_at,
                          .ends_at = row->ends_at,
                          .kind = (enum grant_kind)row->kind};
}

bool grants_next(const struct grants *grants, struct slice subject, uint32_t *at, struct grant *found)
{
    if (*at == GRANTS_FIRST) {
        if (!find_last(grants, subject, at)) return false;
    } else {
        if (grants->items[*at].next == *at) return false;
        *at = grants->items[*at].next;
    }
    *found = read(grants, *at);
    return true;
}

bool grants_find(const struct grants *grants, struct slice subject, struct slice model, int64_t now_s,
                 struct grant *found)
{
    struct grant one;
    bool is_found = false;
    uint32_t at = GRANTS_FIRST;
    while (grants_next(grants, subject, &at, &one)) {
        if (one.kind == GRANT_REQUEST || now_s < one.starts_at || now_s >= one.ends_at) continue;
        if (!slice_equal(one.model, model)) continue;
        if (!is_found || one.ends_at > found->ends_at) *found = one;
        is_found = true;
    }
    return is_found;
}

/* ---- Making the section. */

struct grants_build {
    struct section_build *section;
};

struct grants_build *grants_build_new(void)
{
    struct grants_build *b = mem_zalloc(1, sizeof *b);
    b->section = section_build_new(&shape);
    return b;
}

void grants_build_free(struct grants_build *b)
{
    if (!b) return;
    section_build_free(b->section);
    mem_free(b);
}

/* The subject's row from now on names this one, and this one the one before it. */
static bool link_row(struct section_build *to, struct slice subject, struct grant_row *row, struct fault *why)
{
    uint32_t at, own = section_build_count(to, GRANTS_ITEMS);
    if (!section_build_find(to, GRANTS_BY_SUBJECT, subject, &at)) {
        row->next = own;
        return section_build_row(to, GRANTS_SUBJECTS, &(struct subject_row){.subject = row->subject, .last = own}, why);
    }
    struct subject_row *known = section_build_at(to, GRANTS_SUBJECTS, at);
    row->next = known->last;
    known->last = own;
    return true;
}

bool grants_build_add(struct grants_build *b, const struct grant *grant, struct fault *why)
{
    const struct slice texts[] = {grant->id, grant->subject, grant->model, grant->purpose};
    struct section_build *to = b->section;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].len > LIMIT_GRANT_TEXT_BYTES)
            return fault_set(why, FAULT_INTERNAL, "grant %.*s: a text is longer than %u bytes", SLICE_FMT(grant->id),
                             LIMIT_GRANT_TEXT_BYTES);
    }
    struct grant_row row = {.starts_at = grant->starts_at,
                            .ends_at = grant->ends_at,
                            .kind = grant->kind,
                            .id = section_build_text(to, grant->id),
                            .subject = section_build_text(to, grant->subject),
                            .model = section_build_text(to, grant->model),
                            .purpose = section_build_text(to, grant->purpose)};
    return link_row(to, grant->subject, &row, why) && section_build_row(to, GRANTS_ITEMS, &row, why);
}

bool grants_build_end(struct grants_build *b, const struct section_about *about, struct buf *out, struct fault *why)
{
    return section_build_end(b->section, about, out, why);
}
