/*
 * Does the registry keep what is promised of it? Read by SQL that knows nothing of who wrote it.
 *
 *     struct registry_checked sum;
 *     if (!registry_check(r, on_finding, arg, &sum, &why)) …      // it cannot be read
 *     if (sum.findings) …                                        // on_finding() told the first 100 of each rule
 *
 *     intact   the file is one that SQLite can read whole, and no row names what there is not
 *     V1       what is or was approved has an approving verdict on its very text, by a human who is none of its authors
 *     V2       production points at approved versions; the shares of a label come to 1000
 *     V3       a grant has another person's decision, or is break-glass of an hour at most, with a reason
 *     V4       no grant lasts longer than was asked for
 *     V5       one event a revision, without a gap but those that a restored backup left
 *     V7       nobody decided on his own; of texts V1 says so, for who looked at one may write in it later
 *     V8       what a completed review found at its end is as it was then, but for what later events changed
 *
 * All of one moment; nothing is changed.
 */
#ifndef MOONGATE_STORE_REGISTRY_CHECK_H
#define MOONGATE_STORE_REGISTRY_CHECK_H

#include "store/registry/registry.h"

struct registry_finding {
    const char *rule, *what;
    struct slice object; /* which: borrowed during the call */
};

struct registry_checked {
    uint64_t findings;
    int64_t epoch, revision, waiting; /* waiting: events that no ledger has yet */
    int64_t rows;                     /* people, keys, versions, requests and grants */
};

bool registry_check(struct registry *r, void (*each)(void *arg, const struct registry_finding *finding), void *arg,
                    struct registry_checked *sum, struct fault *why);

#endif
