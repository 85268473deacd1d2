/*
 * The tokens that provider accounts were given for a key of theirs, in memory that the processes of a gateway share:
 * the admin process asks for them and writes, workers read, nobody waits on anybody.
 *
 *     grants_keep(all, ids, count);                    // the admin process: at each configuration that is accepted
 *     grants_put(all, id, token, until_ns);            // … was given one; or grants_failed(all, id)
 *     switch (grants_get(all, id, now_ns, &copy)) …    // a worker: a copy, which it wipes
 *     grants_refuse(all, id, copy.number);             // the provider did not take it
 *     grants_wipe(all);                                // the end
 *
 * An id stands for one credential and all that is asked with it: accounts with the same share a token, a reload that
 * changes nothing keeps it. Ids are 64 bits of a digest of the operator's own files. Times are monotonic, which all
 * processes of a machine have in common. Zeroed memory is an empty table.
 */
#ifndef MOONGATE_STORE_GRANTS_H
#define MOONGATE_STORE_GRANTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"

#define GRANTS_SLOTS (2 * LIMIT_GRANTS)

struct grants_slot {
    _Atomic uint64_t id; /* 0: nobody's */
    _Atomic uint64_t turn; /* odd while it is being written; half of it: the number of what stands there */
    _Atomic uint64_t until_ns; /* 0: there is no token */
    _Atomic uint32_t len;
    _Atomic uint32_t is_failing; /* the last question for one has failed */
    _Atomic uint64_t refused;    /* the number of one that its provider did not take */
    _Atomic uint64_t words[LIMIT_GRANT_BYTES / 8];
};

struct grants {
    struct grants_slot slots[GRANTS_SLOTS];
};

enum grants_state {
    GRANTS_GOOD,
    GRANTS_AWAITED, /* there is none yet */
    GRANTS_FAILED,  /* there is none, and the last question for one has failed */
};

struct grants_copy {
    uint64_t number;
    size_t len;
    char token[LIMIT_GRANT_BYTES];
};

/* ---- The one process that writes. */

/* LIMIT_GRANTS at most, none of them 0. What is not among them goes, and what another process was about to write when
 * it died. */
void grants_keep(struct grants *all, const uint64_t *ids, size_t count);
/* No longer than LIMIT_GRANT_BYTES; nothing of an id that is not kept. */
void grants_put(struct grants *all, uint64_t id, struct slice token, uint64_t until_ns);
void grants_failed(struct grants *all, uint64_t id);
/* When what is there ends; 0: there is none. */
uint64_t grants_until(const struct grants *all, uint64_t id);
/* What is there now was refused by who should take it. */
bool grants_is_refused(const struct grants *all, uint64_t id);

/* ---- Any. */

/* The copy is the caller's to wipe (grants_copy_wipe()). all NULL: nobody asks for any. */
enum grants_state grants_get(const struct grants *all, uint64_t id, uint64_t now_ns, struct grants_copy *copy);
void grants_copy_wipe(struct grants_copy *copy);
void grants_refuse(struct grants *all, uint64_t id, uint64_t number);
/* Of the supervisor, behind all others. */
void grants_wipe(struct grants *all);

#endif
