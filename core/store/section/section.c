#include "store/section/section.h"

#include <stddef.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/pipe.h"
#include "store/section/section_inner.h"

struct section {
    unsigned refs;
    bool is_mapped;
    struct slice bytes;
    const struct section_shape *shape;
    struct section_about about;
    struct section_head head;
    const char *texts;
    uint64_t text_bytes;
    struct {
        const char *at;
        uint32_t rows;
    } tables[SECTION_TABLES_MAX];
};

const char *section_kind_name(uint32_t kind)
{
    static const char *const names[SECTION_KINDS] = {
        [SECTION_KEYS] = "keys",     [SECTION_TOPUPS] = "topups",   [SECTION_GRANTS] = "grants",
        [SECTION_PEOPLE] = "people", [SECTION_PROMPTS] = "prompts", [SECTION_TEXTS] = "texts",
    };
    return kind < SECTION_KINDS ? names[kind] : NULL;
}

uint64_t section_content(struct slice bytes)
{
    return hash_bytes(bytes, 0);
}

uint64_t section_checksum(const struct section_head *head)
{
    return hash_bytes(slice_of((const char *)head, offsetof(struct section_head, checksum)), 0);
}

uint32_t section_hash(const struct section_head *head, struct slice key)
{
    return (uint32_t)hash_bytes(key, head->seed);
}

static bool bad(struct fault *why, const struct section_head *head, const char *what)
{
    const char *name = section_kind_name(head->kind);
    return fault_set(why, FAULT_INTERNAL, "section %s: %s", name ? name : "of no kind", what);
}

/* ---- The head. */

static bool read_head(struct slice bytes, struct section_head *head, struct fault *why)
{
    *head = (struct section_head){.kind = 0};
    if (bytes.len < sizeof *head) return bad(why, head, "shorter than its head");
    memcpy(head, bytes.ptr, sizeof *head);
    if (memcmp(head->magic, SECTION_MAGIC, sizeof head->magic) != 0 || head->order != SECTION_ORDER)
        return bad(why, head, "these bytes are none, or another machine's");
    if (section_checksum(head) != head->checksum) return bad(why, head, "its head is damaged");
    return section_kind_name(head->kind) || bad(why, head, "made by a newer moongate");
}

bool section_head(struct slice bytes, struct section_about *about, struct fault *why)
{
    struct section_head head;
    if (!read_head(bytes, &head, why)) return false;
    *about = (struct section_about){head.kind,     head.part,  head.version, head.epoch,
                                    head.revision, head.bytes, head.content};
    return true;
}

bool section_head_of(int fd, struct section_about *about, struct fault *why)
{
    char head[SECTION_HEAD_BYTES];
    ssize_t got = pread(fd, head, sizeof head, 0);
    return section_head(slice_of(head, got > 0 ? (size_t)got : 0), about, why);
}

/* ---- What is behind it. */

static bool find_tables(struct section *s, struct fault *why)
{
    uint64_t first = sizeof s->head + (uint64_t)s->shape->table_count * sizeof(struct section_extent);
    if (s->head.table_count != s->shape->table_count || s->bytes.len < first) return bad(why, &s->head, "other tables");
    for (uint32_t i = 0; i < s->shape->table_count; i++) {
        struct section_extent e;
        memcpy(&e, s->bytes.ptr + sizeof s->head + i * sizeof e, sizeof e);
        if (e.row_bytes != section_row_bytes(&s->shape->tables[i])) return bad(why, &s->head, "other rows");
        if (e.rows > s->shape->tables[i].rows_max) return bad(why, &s->head, "more rows than there may be");
        uint64_t bytes = (uint64_t)e.rows * e.row_bytes;
        if (e.at % 8 || e.at < first || e.at > s->bytes.len || bytes > s->bytes.len - e.at)
            return bad(why, &s->head, "a table outside of it");
        s->tables[i].at = s->bytes.ptr + e.at;
        s->tables[i].rows = e.rows;
    }
    if (s->head.texts_at < first || s->head.texts_at > s->bytes.len) return bad(why, &s->head, "texts outside of it");
    s->texts = s->bytes.ptr + s->head.texts_at;
    s->text_bytes = s->bytes.len - s->head.texts_at;
    return true;
}

/* Nothing is asked in between, so that a hundred thousand rows take a millisecond: what is wrong is added up. */
static uint64_t wrong_texts(const struct section *s, const struct section_column *column, const char *row)
{
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < column->count; i++) {
        struct section_text text;
        memcpy(&text, row + column->at + i * sizeof text, sizeof text);
        wrong |= ((uint64_t)text.at + text.len > s->text_bytes) | (text.len > column->bound);
    }
    return wrong;
}

static uint64_t wrong_lists(const struct section *s, const struct section_column *column, const char *row)
{
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < column->count; i++) {
        struct section_list list;
        memcpy(&list, row + column->at + i * sizeof list, sizeof list);
        wrong |= (uint64_t)list.first + list.count > s->tables[column->bound].rows;
    }
    return wrong;
}

static uint64_t wrong_row(const struct section *s, const struct section_column *column, const char *row)
{
    uint32_t to;
    memcpy(&to, row + column->at, sizeof to);
    return to >= s->tables[column->bound].rows;
}

static uint64_t wrong_column(const struct section *s, const struct section_column *column, const char *row)
{
    switch (column->type) {
    case SECTION_COLUMN_TEXTS: return wrong_texts(s, column, row);
    case SECTION_COLUMN_LISTS: return wrong_lists(s, column, row);
    case SECTION_COLUMN_ROW: return wrong_row(s, column, row);
    }
    return 1;
}

static bool check_rows(const struct section *s, uint32_t table)
{
    const struct section_table *shape = &s->shape->tables[table];
    const char *row = s->tables[table].at;
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < s->tables[table].rows; i++, row += shape->row_bytes) {
        for (unsigned n = 0; n < SECTION_COLUMNS_MAX && shape->columns[n].type; n++)
            wrong |= wrong_column(s, &shape->columns[n], row);
    }
    return wrong == 0;
}

/* Every search ends: at a free slot at the latest. */
static bool check_index(const struct section *s, uint32_t table)
{
    uint32_t slots = s->tables[table].rows, rows = s->tables[s->shape->tables[table].index_of].rows, taken = 0;
    uint64_t wrong = slots == 0 || (slots & (slots - 1)) != 0;
    for (uint32_t i = 0; i < slots; i++) {
        struct section_slot slot;
        memcpy(&slot, s->tables[table].at + i * sizeof slot, sizeof slot);
        wrong |= slot.place > rows;
        taken += slot.place != 0;
    }
    return wrong == 0 && taken < slots && taken == rows;
}

static bool check_all(struct section *s, struct fault *why)
{
    if (!read_head(s->bytes, &s->head, why)) return false;
    if (s->head.kind != (uint32_t)s->shape->kind || s->head.version != s->shape->version)
        return bad(why, &s->head, "another kind or version than is wanted");
    if (s->head.bytes != s->bytes.len) return bad(why, &s->head, "cut off, or with more behind it");
    struct slice content = slice_of(s->bytes.ptr + sizeof s->head, s->bytes.len - sizeof s->head);
    if (section_content(content) != s->head.content) return bad(why, &s->head, "damaged");
    if (!find_tables(s, why)) return false;
    for (uint32_t i = 0; i < s->shape->table_count; i++) {
        bool is_good = s->shape->tables[i].is_index ? check_index(s, i) : check_rows(s, i);
        if (!is_good) return bad(why, &s->head, "a row refers to what is not there");
    }
    return section_head(s->bytes, &s->about, why);
}

/* ---- Having one. */

static struct section *take(struct slice bytes, bool is_mapped, const struct section_shape *shape, struct fault *why)
{
    struct section *s = mem_zalloc(1, sizeof *s);
    s->refs = 1;
    s->is_mapped = is_mapped;
    s->bytes = bytes;
    s->shape = shape;
    if (check_all(s, why)) return s;
    section_unref(s);
    return NULL;
}

struct section *section_map(int fd, const struct section_shape *shape, struct fault *why)
{
    struct slice bytes;
    if (!pipe_memfd_map(fd, shape->bytes_max, &bytes, why)) return NULL;
    return take(bytes, true, shape, why);
}

struct section *section_copy(struct slice bytes, const struct section_shape *shape, struct fault *why)
{
    if (bytes.len > shape->bytes_max) {
        fault_set(why, FAULT_INTERNAL, "section %s: over its bound", section_kind_name(shape->kind));
        return NULL;
    }
    char *own = mem_alloc(bytes.len + 1); /* as aligned as a mapping, for what is read of it */
    if (bytes.len) memcpy(own, bytes.ptr, bytes.len);
    return take(slice_of(own, bytes.len), false, shape, why);
}

struct section *section_ref(struct section *s)
{
    s->refs++;
    return s;
}

void section_unref(struct section *s)
{
    if (!s || --s->refs > 0) return;
    if (s->is_mapped)
        pipe_memfd_unmap(s->bytes);
    else
        mem_free((void *)(uintptr_t)s->bytes.ptr);
    mem_free(s);
}

const struct section_about *section_about(const struct section *s)
{
    return &s->about;
}

const void *section_rows(const struct section *s, uint32_t table, uint32_t *count)
{
    *count = s->tables[table].rows;
    return s->tables[table].at;
}

struct slice section_text(const struct section *s, struct section_text text)
{
    return slice_of(s->texts + text.at, text.len);
}

bool section_find(const struct section *s, uint32_t index, struct slice key, uint32_t *row)
{
    const struct section_table *shape = &s->shape->tables[index];
    const struct section_slot *slots = (const struct section_slot *)(const void *)s->tables[index].at;
    uint32_t hash = section_hash(&s->head, key), mask = s->tables[index].rows - 1;
    uint32_t row_bytes = s->shape->tables[shape->index_of].row_bytes;
    for (uint32_t at = hash & mask; slots[at].place; at = (at + 1) & mask) {
        const char *found = s->tables[shape->index_of].at + (uint64_t)(slots[at].place - 1) * row_bytes;
        if (slots[at].hash != hash || !slice_equal(section_key(shape, found, s->texts), key)) continue;
        *row = slots[at].place - 1;
        return true;
    }
    return false;
}
