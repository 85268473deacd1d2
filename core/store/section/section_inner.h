/*
 * The layout that a section's builder writes and its reader checks; nobody else includes it.
 */
#ifndef MOONGATE_STORE_SECTION_SECTION_INNER_H
#define MOONGATE_STORE_SECTION_SECTION_INNER_H

#include "base/hash.h"
#include "store/section/section.h"

#define SECTION_MAGIC "MGSECT1\n"
#define SECTION_ORDER 0x01020304u

struct section_head {
    char magic[8];
    uint32_t order, kind, part, version, table_count, reserved;
    uint64_t epoch, revision, bytes, texts_at, seed, content, checksum; /* checksum: of all of the head before it */
};

/* Behind the head. */
struct section_extent {
    uint64_t at; /* from the section's first byte */
    uint32_t row_bytes, rows;
};

/* A row of an index: open addressing, linear probing, as base/map.h has it; a power of two of them, one free. */
struct section_slot {
    uint32_t hash;
    uint32_t place; /* row + 1; 0: free */
};

_Static_assert(sizeof(struct section_head) == SECTION_HEAD_BYTES, "the head has no gaps");

uint64_t section_content(struct slice bytes);
uint64_t section_checksum(const struct section_head *head);
uint32_t section_hash(const struct section_head *head, struct slice key);

static inline uint32_t section_row_bytes(const struct section_table *table)
{
    return table->is_index ? (uint32_t)sizeof(struct section_slot) : table->row_bytes;
}

/* The key of a row of the table that `index` is of. */
static inline struct slice section_key(const struct section_table *index, const char *row, const char *texts)
{
    struct section_text text;
    if (index->key_bytes) return slice_of(row + index->key_at, index->key_bytes);
    memcpy(&text, row + index->key_at, sizeof text);
    return slice_of(texts + text.at, text.len);
}

#endif
