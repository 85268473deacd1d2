/*
 * What is wrong with a configuration or a policy bundle: a list of errors and warnings with their places, which travels
 * as JSON from the checker to the supervisor, to the command line and to the admin API.
 *
 *     struct report *r = report_new();
 *     report_add(r, &(struct diagnostic){.finding = FINDING_BAD_VALUE, .file = file, .line = 3, .column = 5,
 *                                        .text = ..., .hint = ...}, source);
 *     json_t *json = report_json(r);     // [{"severity","code","file","line","column","message","help","source"}]
 *     report_free(r);
 *
 * At most LIMIT_DIAGNOSTICS are kept; the others are only counted.
 */
#ifndef MOONGATE_SERVER_REPORT_H
#define MOONGATE_SERVER_REPORT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/finding.h"
#include "base/slice.h"

struct json_t; /* jansson.h cannot be included beside wire/json.h */

struct report;

struct diagnostic {
    enum finding finding;
    struct slice file;
    int line, column; /* 0: unknown; both count from 1 */
    struct slice text;
    struct slice hint; /* how to cure it; may be empty */
};

struct report *report_new(void);
void report_free(struct report *r); /* NULL is welcome */
/* Copies. `source`: the file's whole text, of which the line is kept; SLICE_NONE when it is not at hand. */
void report_add(struct report *r, const struct diagnostic *d, struct slice source);
/* An error of no place in a file. */
void report_say(struct report *r, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t report_errors(const struct report *r);
size_t report_warnings(const struct report *r);
/* Sorted by file, line and column. Borrowed; good until the next report_add. */
struct json_t *report_json(struct report *r);
/* Appends the same as JSON text. */
void report_write(struct report *r, struct buf *out);
/* From what another process sent; false and unchanged when it is no such list. */
bool report_merge(struct report *r, struct slice json);
/* What the first error is; FINDING_OTHER_ERROR when there is none. */
enum finding report_first(struct report *r);
/* "policies/access.lua:3:5"; nothing when it has no place. */
void report_first_place(struct report *r, struct buf *out);
/* "policies/access.lua:3:5: text (hint)": the same in one line. */
void report_first_line(struct report *r, struct buf *out);

#endif
