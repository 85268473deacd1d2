/*
 * Cells of CSV (RFC 4180), safe for spreadsheets.
 *
 *     csv_append_cell(&out, text);           // quoted where it must be; commas and CR LF between them are the caller's
 *
 * A text that a spreadsheet would take for a formula (it begins with =, +, -, @, also in wide letters, a tab or a
 * line's end) has a ' before it. What a terminal would obey is spelt \uXXXX.
 */
#ifndef MOONGATE_BASE_CSV_H
#define MOONGATE_BASE_CSV_H

#include "base/buf.h"
#include "base/slice.h"

void csv_append_cell(struct buf *out, struct slice text);

#endif
