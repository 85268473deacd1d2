/*
 * The ledger's entries as files for others: JSON lines that can be verified elsewhere, and CSV for spreadsheets.
 *
 *     struct export e;
 *     if (!export_open(&e, EXPORT_CSV, "records.csv", &why)) …           // NULL: stdout
 *     … export_row(&e, row) …                                   // a ledger_visit; false: it could not be written
 *     if (!export_close(&e, &why)) …                             // false: it is not whole, and was removed
 *
 * JSON lines: {"seq","kind","hash","body"}, body the text that was hashed (store/verify/verify.h). CSV as in RFC 4180,
 * with a header row, lines end with CR LF; a text that a spreadsheet would take for a formula (it begins with =, +, -,
 * @, also in wide letters, a tab or a line's end) has a ' before it. What a terminal would obey is spelt \uXXXX in
 * both, which in JSON is the same. Rows are written as they come, however many.
 */
#ifndef MOONGATE_CLI_EXPORT_H
#define MOONGATE_CLI_EXPORT_H

#include "base/buf.h"
#include "base/fault.h"
#include "store/ledger/read.h"

enum export_format { EXPORT_JSONL, EXPORT_CSV };

struct export {
    enum export_format format;
    const char *path; /* NULL: stdout */
    int fd;
    bool has_failed;
    int error;
    uint64_t rows;
    struct buf held, line;
};

/* A file must not be there yet; it is made for its owner alone. */
bool export_open(struct export *e, enum export_format format, const char *path, struct fault *why);
bool export_row(void *e, const struct ledger_row *row);
/* A line of JSON that stands between the entries. */
bool export_line(struct export *e, struct slice json);
bool export_close(struct export *e, struct fault *why);

#endif
