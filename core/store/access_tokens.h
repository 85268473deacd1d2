/*
 * The tokens that provider accounts were given for a key of theirs, in memory that the processes of a gateway share:
 * the admin process asks for them and writes, workers read, nobody waits on anybody.
 *
 *     access_tokens_keep(all, ids, count);                  // the admin process: at each configuration it accepts
 *     access_tokens_put(all, id, token, until_ns);          // … was given one; or access_tokens_failed(all, id)
 *     switch (access_tokens_get(all, id, now_ns, &copy)) …  // a worker: a copy, which it wipes
 *     access_tokens_refuse(all, id, copy.number);           // the provider did not take it
 *     access_tokens_wipe(all);                              // the end
 *
 * An id stands for one credential and all that is asked with it: accounts with the same share a token, a reload that
 * changes nothing keeps it. Ids are 64 bits of a digest of the operator's own files. Times are monotonic, which all
 * processes of a machine have in common. Zeroed memory is an empty table.
 */
#ifndef MOONGATE_STORE_ACCESS_TOKENS_H
#define MOONGATE_STORE_ACCESS_TOKENS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"

#define ACCESS_TOKENS_SLOTS (2 * LIMIT_ACCESS_TOKENS)

struct access_tokens_slot {
    _Atomic uint64_t id; /* 0: nobody's */
    _Atomic uint64_t turn; /* odd while it is being written; half of it: the number of what stands there */
    _Atomic uint64_t until_ns; /* 0: there is no token */
    _Atomic uint32_t len;
    _Atomic uint32_t is_failing; /* the last question for one has failed */
    _Atomic uint64_t refused;    /* the number of one that its provider did not take */
    _Atomic uint64_t words[LIMIT_ACCESS_TOKEN_BYTES / 8];
};

struct access_tokens {
    struct access_tokens_slot slots[ACCESS_TOKENS_SLOTS];
};

enum access_tokens_state {
    ACCESS_TOKENS_GOOD,
    ACCESS_TOKENS_AWAITED, /* there is none yet */
    ACCESS_TOKENS_FAILED,  /* there is none, and the last question for one has failed */
};

struct access_tokens_copy {
    uint64_t number;
    size_t len;
    char token[LIMIT_ACCESS_TOKEN_BYTES];
};

/* ---- The one process that writes. */

/* LIMIT_ACCESS_TOKENS at most, none of them 0. What is not among them goes, and what another process was about to
 * write when it died. */
void access_tokens_keep(struct access_tokens *all, const uint64_t *ids, size_t count);
/* No longer than LIMIT_ACCESS_TOKEN_BYTES; nothing of an id that is not kept. */
void access_tokens_put(struct access_tokens *all, uint64_t id, struct slice token, uint64_t until_ns);
void access_tokens_failed(struct access_tokens *all, uint64_t id);
/* When what is there ends; 0: there is none. */
uint64_t access_tokens_until(const struct access_tokens *all, uint64_t id);
/* What is there now was refused by who should take it. */
bool access_tokens_is_refused(const struct access_tokens *all, uint64_t id);

/* ---- Any. */

/* The copy is the caller's to wipe (access_tokens_copy_wipe()). all NULL: nobody asks for any. */
enum access_tokens_state access_tokens_get(const struct access_tokens *all, uint64_t id, uint64_t now_ns,
                                           struct access_tokens_copy *copy);
void access_tokens_copy_wipe(struct access_tokens_copy *copy);
void access_tokens_refuse(struct access_tokens *all, uint64_t id, uint64_t number);
/* Of the supervisor, behind all others. */
void access_tokens_wipe(struct access_tokens *all);

#endif
