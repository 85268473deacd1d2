/*
 * A worker's records on their way to <data>/audit.jsonl: formatted when an exchange is over, written together at the
 * end of the loop's turn. A busy turn ends dozens of exchanges, and a system call for each would be a noticeable part
 * of what they cost.
 *
 *     struct audit *audit = audit_new(loop, fd, on_lost, flow);
 *     audit_add(audit, x);
 *     audit_free(audit);            // writes what is left
 *
 * A process that is killed in the middle of a turn takes that turn's records with it.
 * Whole lines go out in one write to a descriptor with O_APPEND, so that lines of several workers never mix. What a
 * full disk does not take waits, LIMIT_AUDIT_HELD_BYTES of it, and is tried again; what comes beyond that, or is left
 * at the end, is lost and told, line by line. Half a line that the disk has taken is ended, so that it spoils no other,
 * and written again whole. One for each loop.
 */
#ifndef MOONGATE_FLOW_AUDIT_H
#define MOONGATE_FLOW_AUDIT_H

#include "exchange/exchange.h"
#include "net/loop.h"

struct audit;

/* on_lost: a record could not be written; `id` is its exchange's, borrowed for the call. fd is borrowed. */
struct audit *audit_new(struct loop *loop, int fd, void (*on_lost)(void *arg, struct slice id), void *arg);
/* Records wait because they cannot be written. */
bool audit_is_failing(const struct audit *audit);
/* NULL is welcome. */
void audit_free(struct audit *audit);
void audit_add(struct audit *audit, const struct exchange *x);

#endif
