/*
 * The ledger's copy for log shippers: each exchange's record as a line of JSON, appended behind its commit.
 *
 *     struct copy *c = copy_new(loop, ledger, path);    // goes on where an earlier process stopped
 *     copy_follow(c);                                   // after each commit
 *     copy_reopen(c);                                   // the file may have been renamed (logrotate)
 *     copy_free(c);
 *
 * What a full disk does not take stays in the ledger and is written when there is room: copy_position() says how far it
 * has come, and memory holds one slice. Half a line that the disk took is completed, not written again.
 * Nothing is missing or doubled: where to go on is told by the last line of the file; where there is none, because it
 * was renamed, by that of the file that was written last, found by its inode in the same folder; and where that is gone
 * too, by a mark in the ledger, made once a second. A copy that is asked for anew begins with what comes from then on.
 * A file that is not this user's own, or a link, is not written to.
 */
#ifndef MOONGATE_LEDGER_COPY_H
#define MOONGATE_LEDGER_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/ledger/ledger.h"

struct copy;
struct loop;

/* Where it is: an absolute path, or one in the data folder. NULL: none is wanted. */
char *copy_path(const char *data_dir, struct slice wanted);
/* Both are borrowed until copy_free(). */
struct copy *copy_new(struct loop *loop, struct ledger *ledger, const char *path);
void copy_free(struct copy *c); /* NULL is welcome */
void copy_follow(struct copy *c);
/* To the end, as far as the disk takes it: before the process ends. */
void copy_all(struct copy *c);
void copy_reopen(struct copy *c);
/* Notes how far it has come. */
void copy_mark(struct copy *c);
/* The seq up to which all is written. */
uint64_t copy_position(const struct copy *c);
/* "": all is well. */
const char *copy_why(const struct copy *c);
/* Nobody wants a copy: one that is asked for later begins then. */
void copy_forget(struct ledger *ledger);

#endif
