#include "store/section/build.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/section/section_inner.h"

struct index {
    const struct section_build *build;
    uint32_t table; /* the index's own number */
    struct map rows;
};

struct section_build {
    const struct section_shape *shape;
    struct buf rows[SECTION_TABLES_MAX];
    uint32_t counts[SECTION_TABLES_MAX];
    struct index indexes[SECTION_TABLES_MAX];
    struct buf texts;
    struct buf known; /* struct section_text, each text once … */
    struct map by_text; /* … by its bytes */
    bool is_full;
};

static const struct section_table *table_of(const struct section_build *b, uint32_t table)
{
    check(table < b->shape->table_count);
    return &b->shape->tables[table];
}

static const char *row_at(const struct section_build *b, uint32_t table, uint32_t row)
{
    return buf_ptr(&b->rows[table]) + (size_t)row * b->shape->tables[table].row_bytes;
}

static struct slice key_of_row(const void *owner, uint32_t row)
{
    const struct index *index = owner;
    const struct section_table *shape = &index->build->shape->tables[index->table];
    return section_key(shape, row_at(index->build, shape->index_of, row), buf_slice(&index->build->texts).ptr);
}

static struct slice known_text(const void *owner, uint32_t item)
{
    const struct section_build *b = owner;
    struct section_text text = ((const struct section_text *)(const void *)buf_ptr(&b->known))[item];
    return slice_of(buf_slice(&b->texts).ptr + text.at, text.len);
}

struct section_build *section_build_new(const struct section_shape *shape)
{
    struct section_build *b = mem_zalloc(1, sizeof *b);
    b->shape = shape;
    for (uint32_t i = 0; i < shape->table_count; i++) {
        buf_init(&b->rows[i]);
        b->indexes[i] = (struct index){.build = b, .table = i};
        map_init(&b->indexes[i].rows, key_of_row, &b->indexes[i]);
    }
    buf_init(&b->texts);
    buf_init(&b->known);
    map_init(&b->by_text, known_text, b);
    return b;
}

void section_build_free(struct section_build *b)
{
    if (!b) return;
    for (uint32_t i = 0; i < b->shape->table_count; i++) {
        buf_clear(&b->rows[i]);
        map_clear(&b->indexes[i].rows);
    }
    buf_clear(&b->texts);
    buf_clear(&b->known);
    map_clear(&b->by_text);
    mem_free(b);
}

struct section_text section_build_text(struct section_build *b, struct slice text)
{
    uint32_t item;
    if (text.len == 0) return (struct section_text){0, 0};
    if (map_find(&b->by_text, text, &item))
        return ((const struct section_text *)(const void *)buf_ptr(&b->known))[item];
    uint64_t end = (uint64_t)buf_len(&b->texts) + text.len;
    if (b->is_full || end > UINT32_MAX || end > b->shape->bytes_max) {
        b->is_full = true;
        return (struct section_text){0, 0};
    }
    struct section_text made = {(uint32_t)buf_len(&b->texts), (uint32_t)text.len};
    buf_append(&b->texts, text);
    buf_append(&b->known, slice_of((const char *)&made, sizeof made));
    map_add(&b->by_text, (uint32_t)(buf_len(&b->known) / sizeof made - 1));
    return made;
}

static bool refuse(const struct section_build *b, struct fault *why, uint32_t table, const char *what)
{
    return fault_set(why, FAULT_INTERNAL, "section %s: row %" PRIu32 " of table %" PRIu32 ": %s",
                     section_kind_name(b->shape->kind), b->counts[table], table, what);
}

/* The row is there; it is taken back where an index has its key. */
static bool index_row(struct section_build *b, uint32_t table, struct fault *why)
{
    uint32_t row = b->counts[table], other;
    for (uint32_t i = 0; i < b->shape->table_count; i++) {
        const struct section_table *shape = &b->shape->tables[i];
        if (!shape->is_index || shape->index_of != table) continue;
        if (map_find(&b->indexes[i].rows, key_of_row(&b->indexes[i], row), &other))
            return refuse(b, why, table, "another has its key too");
        map_add(&b->indexes[i].rows, row);
    }
    return true;
}

bool section_build_row(struct section_build *b, uint32_t table, const void *row, struct fault *why)
{
    const struct section_table *shape = table_of(b, table);
    check(!shape->is_index);
    if (b->counts[table] >= shape->rows_max) return refuse(b, why, table, "more than there may be");
    buf_append(&b->rows[table], slice_of(row, shape->row_bytes));
    if (!index_row(b, table, why)) {
        buf_shorten(&b->rows[table], buf_len(&b->rows[table]) - shape->row_bytes);
        return false;
    }
    b->counts[table]++;
    return true;
}

uint32_t section_build_count(const struct section_build *b, uint32_t table)
{
    return b->counts[table];
}

bool section_build_find(const struct section_build *b, uint32_t index, struct slice key, uint32_t *row)
{
    check(table_of(b, index)->is_index);
    return map_find(&b->indexes[index].rows, key, row);
}

void *section_build_at(struct section_build *b, uint32_t table, uint32_t row)
{
    check(row < b->counts[table]);
    return buf_ptr(&b->rows[table]) + (size_t)row * table_of(b, table)->row_bytes;
}

/* ---- The end. */

/* At most half of the slots are taken. */
static void write_index(struct section_build *b, const struct section_head *head, uint32_t table)
{
    uint32_t rows = b->counts[table_of(b, table)->index_of], slots = 2;
    while (slots < 2 * (uint64_t)rows)
        slots *= 2;
    struct section_slot *all = mem_zalloc(slots, sizeof *all);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t hash = section_hash(head, key_of_row(&b->indexes[table], row)), at = hash & (slots - 1);
        while (all[at].place)
            at = (at + 1) & (slots - 1);
        all[at] = (struct section_slot){hash, row + 1};
    }
    buf_append(&b->rows[table], slice_of((const char *)all, slots * sizeof *all));
    b->counts[table] = slots;
    mem_free(all);
}

static void append_padding(struct buf *out, size_t begin)
{
    while ((buf_len(out) - begin) % 8)
        buf_append_char(out, '\0');
}

static void write_tables(struct section_build *b, size_t begin, struct buf *out)
{
    struct section_extent extents[SECTION_TABLES_MAX];
    uint64_t at = sizeof(struct section_head) + b->shape->table_count * sizeof *extents;
    for (uint32_t i = 0; i < b->shape->table_count; i++) {
        extents[i] = (struct section_extent){at, section_row_bytes(&b->shape->tables[i]), b->counts[i]};
        at += (buf_len(&b->rows[i]) + 7) / 8 * 8;
    }
    buf_append(out, slice_of((const char *)extents, b->shape->table_count * sizeof *extents));
    for (uint32_t i = 0; i < b->shape->table_count; i++) {
        buf_append(out, buf_slice(&b->rows[i]));
        append_padding(out, begin);
    }
}

/* Of all processes that the one started which was asked first: what has not changed has the same bytes again. */
static uint64_t seed(void)
{
    return hash_secret(SLICE("section"));
}

static void write_all(struct section_build *b, const struct section_about *about, struct buf *out)
{
    struct section_head head = {.order = SECTION_ORDER,
                                .kind = b->shape->kind,
                                .part = about->part,
                                .version = b->shape->version,
                                .table_count = b->shape->table_count,
                                .epoch = about->epoch,
                                .revision = about->revision,
                                .seed = seed()};
    size_t begin = buf_len(out);
    memcpy(head.magic, SECTION_MAGIC, sizeof head.magic);
    for (uint32_t i = 0; i < b->shape->table_count; i++) {
        if (b->shape->tables[i].is_index) write_index(b, &head, i);
    }
    buf_append(out, slice_of((const char *)&head, sizeof head));
    write_tables(b, begin, out);
    head.texts_at = buf_len(out) - begin;
    buf_append(out, buf_slice(&b->texts));
    head.bytes = buf_len(out) - begin;
    head.content = section_content(slice_of(buf_ptr(out) + begin + sizeof head, head.bytes - sizeof head));
    head.checksum = section_checksum(&head);
    memcpy(buf_ptr(out) + begin, &head, sizeof head);
}

bool section_build_end(struct section_build *b, const struct section_about *about, struct buf *out, struct fault *why)
{
    if (b->is_full) return refuse(b, why, 0, "no room for more texts");
    size_t begin = buf_len(out);
    write_all(b, about, out);
    struct section *s = section_copy(slice_of(buf_ptr(out) + begin, buf_len(out) - begin), b->shape, why);
    if (!s) buf_shorten(out, begin);
    section_unref(s);
    return s != NULL;
}
