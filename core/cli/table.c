#include "cli/table.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/visible.h"
#include "cli/cli.h"

#define GAP 2u
#define FLEXIBLE_LEAST 8u /* columns a cut cell keeps */
#define CELL_BYTES 512u

struct row {
    const char *cells[TABLE_COLUMNS_MAX];
    enum table_colour colours[TABLE_COLUMNS_MAX];
};

struct table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    size_t count;
    struct arena arena;
    struct row *rows;
    size_t row_count, row_room;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *t = mem_zalloc(1, sizeof *t);
    check(count <= TABLE_COLUMNS_MAX);
    memcpy(t->columns, columns, count * sizeof *columns);
    t->count = count;
    arena_init(&t->arena);
    return t;
}

void table_free(struct table *t)
{
    if (!t) return;
    arena_clear(&t->arena);
    mem_free(t->rows);
    mem_free(t);
}

const char *table_cell(struct arena *arena, const char *text)
{
    struct buf seen;
    buf_init(&seen);
    visible_append(&seen, slice_str(*text ? text : "-"), false);
    for (char *c = buf_ptr(&seen); c < buf_ptr(&seen) + buf_len(&seen); c++)
        if (*c == '\n' || *c == '\t') *c = ' ';
    const char *cell = arena_copy(arena, buf_slice(&seen)).ptr;
    buf_clear(&seen);
    return cell;
}

void table_add(struct table *t, const char *const *cells)
{
    if (t->row_count == t->row_room) {
        t->row_room = t->row_room ? 2 * t->row_room : 64;
        t->rows = mem_realloc(t->rows, t->row_room * sizeof *t->rows);
    }
    struct row *row = &t->rows[t->row_count++];
    *row = (struct row){0};
    for (size_t c = 0; c < t->count; c++)
        row->cells[c] = table_cell(&t->arena, cells[c] ? cells[c] : "");
}

void table_mark(struct table *t, size_t column, enum table_colour colour)
{
    if (t->row_count) t->rows[t->row_count - 1].colours[column] = colour;
}

/* ---- Widths. */

size_t table_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

const char *table_cut(const char *text, size_t width, char *to, size_t size)
{
    size_t bytes = 0, seen = 0;
    if (table_width(text) <= width && strlen(text) < size) {
        snprintf(to, size, "%s", text);
        return to;
    }
    while (text[bytes] && bytes + 8 < size) {
        if (((unsigned char)text[bytes] & 0xC0) != 0x80 && ++seen > width - 1) break;
        bytes++;
    }
    while (bytes && ((unsigned char)text[bytes] & 0xC0) == 0x80)
        bytes--; /* not inside a character */
    snprintf(to, size, "%.*s…", (int)bytes, text);
    return to;
}

size_t table_terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

static size_t least_of(const struct table *t, size_t column, size_t width)
{
    const struct table_column *c = &t->columns[column];
    size_t least = !c->is_flexible ? width : c->least ? c->least : FLEXIBLE_LEAST;
    return width < least ? width : least;
}

/* A width of 0: the column is not shown. */
static void drop_columns(const struct table *t, size_t *widths, size_t most)
{
    for (;;) {
        size_t whole = 0, first = t->count;
        for (size_t c = 0; c < t->count; c++) {
            if (widths[c]) whole += least_of(t, c, widths[c]) + (c ? GAP : 0);
            if (widths[c] && t->columns[c].goes && (first == t->count || t->columns[c].goes > t->columns[first].goes))
                first = c;
        }
        if (whole <= most || first == t->count) return;
        widths[first] = 0;
    }
}

/* The widest of those that may be cut gives way first. */
static void fit(const struct table *t, size_t *widths)
{
    size_t most = table_terminal_width(), whole = 0;
    drop_columns(t, widths, most);
    for (size_t c = 0; c < t->count; c++)
        whole += widths[c] ? widths[c] + (c ? GAP : 0) : 0;
    while (whole > most) {
        size_t widest = t->count;
        for (size_t c = 0; c < t->count; c++)
            if (widths[c] > least_of(t, c, widths[c]) && (widest == t->count || widths[c] > widths[widest])) widest = c;
        if (widest == t->count) return;
        widths[widest]--;
        whole--;
    }
}

static void measure(const struct table *t, size_t *widths)
{
    for (size_t c = 0; c < t->count; c++) {
        widths[c] = table_width(t->columns[c].head);
        for (size_t r = 0; r < t->row_count; r++) {
            size_t n = table_width(t->rows[r].cells[c]);
            if (n > widths[c]) widths[c] = n;
        }
    }
    fit(t, widths);
}

/* ---- Printing. */

static const char *begin(enum table_colour colour, bool is_coloured)
{
    static const char *const codes[] = {"", "\033[31m", "\033[33m", "\033[32m", "\033[2m"};
    return is_coloured ? codes[colour] : "";
}

static void pad(size_t n)
{
    for (; n; n--)
        fputc(' ', stdout);
}

static void print_aligned(const struct table *t, const char *const *cells, const enum table_colour *colours,
                          const size_t *widths)
{
    bool is_coloured = cli_is_coloured(stdout);
    char cut[CELL_BYTES];
    for (size_t c = 0; c < t->count; c++) {
        if (!widths[c]) continue;
        const char *text = table_cut(cells[c], widths[c], cut, sizeof cut);
        size_t blank = widths[c] > table_width(text) ? widths[c] - table_width(text) : 0;
        enum table_colour colour = colours ? colours[c] : TABLE_PLAIN;
        if (c) pad(GAP);
        if (t->columns[c].is_right) pad(blank);
        printf("%s%s%s", begin(colour, is_coloured), text, colour && is_coloured ? "\033[0m" : "");
        if (!t->columns[c].is_right && c + 1 < t->count) pad(blank);
    }
    fputc('\n', stdout);
}

static void print_tabbed(const struct table *t, const char *const *cells)
{
    for (size_t c = 0; c < t->count; c++)
        printf("%s%s", c ? "\t" : "", cells[c]);
    fputc('\n', stdout);
}

void table_print(const struct table *t)
{
    size_t widths[TABLE_COLUMNS_MAX];
    const char *heads[TABLE_COLUMNS_MAX];
    bool is_aligned = isatty(STDOUT_FILENO) == 1;
    for (size_t c = 0; c < t->count; c++)
        heads[c] = t->columns[c].head;
    if (is_aligned) {
        measure(t, widths);
        print_aligned(t, heads, NULL, widths);
    } else {
        print_tabbed(t, heads);
    }
    for (size_t r = 0; r < t->row_count; r++) {
        if (is_aligned) {
            print_aligned(t, t->rows[r].cells, t->rows[r].colours, widths);
        } else {
            print_tabbed(t, t->rows[r].cells);
        }
    }
}
