/*
 * What the mock received and what it generated, entry by entry: the tests' oracle. Append-only.
 *
 *     journal_add(j, json_pack("{s:s, s:I}", "event", "open", "conn", id));
 *
 * Each entry gets "seq" (1, 2, 3 …) and "time_us" (wall clock). Kept in memory for GET /_mock/log, the newest
 * JOURNAL_ENTRIES_MAX of them, and written to the file, if any, as JSON lines at once.
 */
#ifndef MOONGATE_MOCK_JOURNAL_H
#define MOONGATE_MOCK_JOURNAL_H

#include <jansson.h>

#include "base/buf.h"
#include "base/fault.h"

#define JOURNAL_ENTRIES_MAX 20000u

struct journal;

/* path NULL: memory only. is_off: nothing is kept or written. */
struct journal *journal_open(const char *path, bool is_off, struct fault *why);
void journal_free(struct journal *j);
bool journal_is_on(const struct journal *j);
/* Takes entry. */
void journal_add(struct journal *j, json_t *entry);
/* {"entries": [those with seq > since], "last": seq} */
void journal_append_since(const struct journal *j, uint64_t since, struct buf *out);
/* Forgets what is in memory; seq goes on, and the file keeps all. */
void journal_forget(struct journal *j);

#endif
