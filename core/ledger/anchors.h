/*
 * When the chain's head is signed, and to whom that is told: at the start, at the end, LIMIT_ANCHOR_MS after an entry
 * came and every LIMIT_ANCHOR_ENTRIES of them.
 *
 *     struct anchors *a = anchors_new(loop, stats, "data", gateway, &options);
 *     anchors_open(a, ledger, &key, &why);   // a new key that waits is announced and taken: *key is another then
 *     anchors_committed(a, entries);         // after each commit that stored some
 *     anchors_sign(a);                       // the last one
 *     anchors_free(a);
 *
 * What each witness has is kept in the transaction of the next anchor. A disk that is full is tried again each second.
 * Times never go back, whatever the machine's clock does: an anchor is younger than the one before it.
 */
#ifndef MOONGATE_LEDGER_ANCHORS_H
#define MOONGATE_LEDGER_ANCHORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "base/stats.h"

struct anchor_key;
struct anchors;
struct ledger;
struct loop;

/* Copied. Empty: no such witness. */
struct anchors_options {
    struct slice file, webhook, secret;
    bool has_syslog;
    const char *syslog_path; /* NULL: /dev/log */
};

/* stats may be NULL. */
struct anchors *anchors_new(struct loop *loop, struct stats *stats, const char *data_dir, struct slice gateway,
                            const struct anchors_options *options);
void anchors_free(struct anchors *a); /* NULL is welcome */
/* The ledger is borrowed; so is *key, until anchors_free(). Not inside a batch. */
bool anchors_open(struct anchors *a, struct ledger *ledger, struct anchor_key **key, struct fault *why);
/* Other witnesses from now on. */
void anchors_configure(struct anchors *a, const struct anchors_options *options);
/* Not inside a batch. */
void anchors_committed(struct anchors *a, unsigned entries);
/* Now, if anything came since the last one. Not inside a batch. */
void anchors_sign(struct anchors *a);
/* Which witness takes none and why: the first; "" when all do. Until it is asked again. */
const char *anchors_why(struct anchors *a);

#endif
