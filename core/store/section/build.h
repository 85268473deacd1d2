/*
 * Makes sections: rows and texts go in, bytes come out that section_map() reads.
 *
 *     struct section_build *b = section_build_new(&keys_shape);
 *     struct key_row row = {.app = section_build_text(b, SLICE("sales-copilot"))};
 *     if (!section_build_row(b, TABLE_KEYS, &row, &why)) …     // its key is there already, or there are too many
 *     bool is_good = section_build_end(b, &(struct section_about){.epoch = 1, .revision = 42}, &bytes, &why);
 *     section_build_free(b);
 *
 * Equal texts are stored once. An index fills itself as rows of its table come. What comes out is read back before it
 * is given: what a reader would refuse is refused here.
 */
#ifndef MOONGATE_STORE_SECTION_BUILD_H
#define MOONGATE_STORE_SECTION_BUILD_H

#include "base/buf.h"
#include "store/section/section.h"

struct section_build;

/* The shape is borrowed. */
struct section_build *section_build_new(const struct section_shape *shape);
void section_build_free(struct section_build *b); /* NULL is welcome */
/* Copies. A text that the section has no room for any more makes section_build_end() fail. */
struct section_text section_build_text(struct section_build *b, struct slice text);
/* Copies shape.row_bytes; the new row is the table's last. False and *why. */
bool section_build_row(struct section_build *b, uint32_t table, const void *row, struct fault *why);
/* How many the table has: where the next list begins. */
uint32_t section_build_count(const struct section_build *b, uint32_t table);
/* As section_find(), of what is there by now. */
bool section_build_find(const struct section_build *b, uint32_t index, struct slice key, uint32_t *row);
/* For who changes a row until the end, but not the column that an index finds it by. Valid until the next row. */
void *section_build_at(struct section_build *b, uint32_t table, uint32_t row);
/* Of `about` part, epoch and revision are taken. Appends; once, last. */
bool section_build_end(struct section_build *b, const struct section_about *about, struct buf *out, struct fault *why);

#endif
