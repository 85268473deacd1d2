/*
 * A section: rows of one kind as position-independent bytes, which are mapped and read in place by any process.
 *
 *     struct section *s = section_map(fd, &keys_shape, &why);            // a sealed memory file; checked whole
 *     const struct key_row *rows = section_rows(s, TABLE_KEYS, &count);
 *     if (section_find(s, TABLE_BY_DIGEST, digest, &row)) … section_text(s, rows[row].app) …
 *     section_unref(s);
 *
 * Layout, in the machine's own byte order:
 *
 *     head      magic, order, kind, part, version, how many tables; epoch, revision; bytes of the whole, where the
 *               texts begin; seed; a hash of what is behind the head, a hash of the head
 *     tables    {where, bytes of a row, rows} each
 *     rows      of one table after the other, each at a multiple of 8
 *     texts     one behind the other, to the end
 *
 * What a row refers to is a number: a text is {where behind the first, bytes}, a list {first row, rows} of another
 * table. A shape says which columns those are; what a shape allows is checked of every row before anybody sees one, so
 * that who reads asks for no bounds. Whoever finds a fault keeps what he had: there is never half a section.
 *
 * The hashes (XXH3) tell damage, not forgery: who sends sections is this gateway, or its own file. Bytes from anywhere
 * are refused or read to no harm all the same. Two of the same content have the same hash also where their revisions
 * differ: the second need not be passed on.
 */
#ifndef MOONGATE_STORE_SECTION_SECTION_H
#define MOONGATE_STORE_SECTION_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct buf;
struct section;

/* The numbers stay: registry.snap has them. One more kind is one more row of section_kind_name(). */
enum section_kind {
    SECTION_KEYS = 1,
    SECTION_TOPUPS,
    SECTION_GRANTS,
    SECTION_PEOPLE,
    SECTION_PROMPTS, /* their index … */
    SECTION_TEXTS,   /* … and what they say, in parts */
    SECTION_KINDS
};

/* "keys"; NULL: there is no such kind. */
const char *section_kind_name(uint32_t kind);

/* What its head says; all that who only passes it on needs to know. */
struct section_about {
    uint32_t kind, part;  /* part: of a kind that has several; 0 where there is one */
    uint32_t version;     /* of its rows */
    uint64_t epoch, revision; /* a restored registry has another epoch, in which revisions begin anew */
    uint64_t bytes, content;  /* of the whole; its hash */
};

struct section_text {
    uint32_t at, len;
};

struct section_list {
    uint32_t first, count;
};

/* ---- What rows look like. */

enum section_column_type {
    SECTION_COLUMN_TEXTS = 1, /* struct section_text, `count` of them; at most `bound` bytes each */
    SECTION_COLUMN_LISTS,     /* struct section_list, `count` of them; of table `bound` */
    SECTION_COLUMN_ROW,       /* uint32_t, a row of table `bound` */
};

struct section_column {
    enum section_column_type type;
    uint32_t at; /* bytes into the row; a multiple of 4 */
    uint32_t count, bound;
};

#define SECTION_COLUMNS_MAX 4
#define SECTION_TABLES_MAX 8

struct section_table {
    uint32_t row_bytes; /* a multiple of 4, of 8 where a column is as wide */
    uint32_t rows_max;
    struct section_column columns[SECTION_COLUMNS_MAX]; /* up to one of no type; what none says is plain numbers */
    /* An index has rows of its own (row_bytes 0) and finds the rows of another table by a column that no two share. */
    bool is_index;
    uint32_t index_of, key_at, key_bytes; /* key_bytes 0: it is a struct section_text */
};

struct section_shape {
    enum section_kind kind;
    uint32_t version; /* another one is another shape: refused */
    uint32_t table_count;
    uint64_t bytes_max;
    struct section_table tables[SECTION_TABLES_MAX];
};

/* ---- Reading. The shape is borrowed for as long as the section is. */

/* Of the first SECTION_HEAD_BYTES or more: whether this is one, and which. False and *why. */
#define SECTION_HEAD_BYTES 88
bool section_head(struct slice bytes, struct section_about *about, struct fault *why);
bool section_head_of(int fd, struct section_about *about, struct fault *why);
/* Maps a sealed memory file; the descriptor may be closed afterwards. NULL and *why: it is none of this shape. */
struct section *section_map(int fd, const struct section_shape *shape, struct fault *why);
/* The same of a copy of these bytes. */
struct section *section_copy(struct slice bytes, const struct section_shape *shape, struct fault *why);
struct section *section_ref(struct section *s);
void section_unref(struct section *s); /* NULL is welcome */
const struct section_about *section_about(const struct section *s);

/* What these give is valid while the section is. */
const void *section_rows(const struct section *s, uint32_t table, uint32_t *count);
struct slice section_text(const struct section *s, struct section_text text);
/* The row of the table that this index is of. */
bool section_find(const struct section *s, uint32_t index, struct slice key, uint32_t *row);

#endif
