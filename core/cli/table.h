/*
 * Rows for people and for pipes: aligned columns on a terminal, cut to its width, of which some go where it is narrow;
 * into a pipe all of every cell, with tabs between.
 *
 *     static const struct table_column columns[] = {{.head = "TIME"}, {.head = "COST", .is_right = true}};
 *     struct table *t = table_new(columns, 2);
 *     table_add(t, (const char *[]){when, cost});
 *     table_mark(t, 1, TABLE_RED);
 *     table_print(t);                                  // and table_free(t)
 *
 * Holds what it prints: for pages, not for exports.
 */
#ifndef MOONGATE_CLI_TABLE_H
#define MOONGATE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define TABLE_COLUMNS_MAX 16

enum table_colour { TABLE_PLAIN, TABLE_RED, TABLE_YELLOW, TABLE_GREEN, TABLE_FAINT };

struct table_column {
    const char *head;
    bool is_right;    /* numbers */
    bool is_flexible; /* may be cut, with a … at the end, where the terminal is too narrow … */
    unsigned least;   /* … but not to less than this; 0: eight characters */
    unsigned goes;    /* where that is still too wide, the highest goes first; 0: never */
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t); /* NULL is welcome */
/* Copies the cells; "" is shown as "-". */
void table_add(struct table *t, const char *const *cells);
/* A cell of the last row, where colours are shown. */
void table_mark(struct table *t, size_t column, enum table_colour colour);
void table_print(const struct table *t);
/* One line without tabs, in which all that a terminal would obey is spelt, colours too; "-" for nothing. */
const char *table_cell(struct arena *arena, const char *text);
/* Of the terminal on stdout; 80 when it says none. */
size_t table_terminal_width(void);
/* Characters, not bytes: what the eye counts. */
size_t table_width(const char *text);
/* So much of a text as its columns take, ended with … when that is not all. In `to`, at most `size` bytes. */
const char *table_cut(const char *text, size_t width, char *to, size_t size);

#endif
