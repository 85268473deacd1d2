#include "base/csv.h"

#include <string.h>

#include "base/visible.h"

/* What a spreadsheet takes for the beginning of a formula, in wide letters too. */
static bool is_formula(struct slice text)
{
    static const struct slice signs[] = {{"=", 1},  {"+", 1},  {"-", 1},  {"@", 1},  {"\t", 1}, {"\r", 1},
                                         {"\n", 1}, {"＝", 3}, {"＋", 3}, {"－", 3}, {"＠", 3}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (slice_starts(text, signs[i])) return true;
    return false;
}

/* Also what other separators would take apart: in many countries it is the semicolon. */
static bool needs_quotes(struct slice cell)
{
    for (size_t i = 0; i < cell.len; i++)
        if (strchr(",;\t\"\r\n", cell.ptr[i])) return true;
    return false;
}

void csv_append_cell(struct buf *out, struct slice text)
{
    struct buf seen;
    buf_init(&seen);
    if (is_formula(text)) buf_append_char(&seen, '\'');
    visible_append(&seen, text, false);
    struct slice cell = buf_slice(&seen);
    bool is_quoted = needs_quotes(cell);
    if (is_quoted) buf_append_char(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"') buf_append_char(out, '"');
        buf_append_char(out, cell.ptr[i]);
    }
    if (is_quoted) buf_append_char(out, '"');
    buf_clear(&seen);
}
