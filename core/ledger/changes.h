/*
 * Changes by administrators on their way into the chain: of keys, from the registry, where they were noted with what
 * was changed; of the gateway itself, from the supervisor, which keeps each until it hears that it is committed.
 *
 *     struct changes *c = changes_new(loop, data_dir, commit, on_end, arg);
 *     changes_open(c, texts);              // the ledger is open
 *     changes_look(c);                     // the registry may have new ones
 *     changes_tell(c, number, body);       // one of the supervisor's
 *     changes_committed(c);                // behind each commit: on_end(arg, &end); the registry's are marked
 *     changes_free(c);
 *
 * An entry is known by its id, so that one which is taken again (somebody was killed before he could say that it is
 * there) is not stored twice. A registry that another process holds, or that cannot be read, is tried again each
 * second. What is no change's JSON is left out, and named in the log.
 *
 * An erasure (store/erase.h) is done here: behind all that was queued before it, so that the texts of these are sealed
 * with the key that goes, and before it is an entry. Told once more after a death it is done once more. Where the key
 * cannot be destroyed there is no entry, and on_end says why.
 */
#ifndef MOONGATE_LEDGER_CHANGES_H
#define MOONGATE_LEDGER_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "ledger/commit.h"

struct changes;
struct loop;
struct texts;

/* What became of one of the supervisor's. */
struct change_end {
    uint64_t number;
    const char *why; /* NULL: it is committed, or left out for good; else why it could not be done */
    bool had_key;    /* an erasure: there was a key to destroy */
};

struct changes *changes_new(struct loop *loop, const char *data_dir, struct commit *commit,
                            void (*on_end)(void *arg, const struct change_end *end), void *arg);
void changes_free(struct changes *c); /* NULL is welcome */
/* Borrowed: the keys that erasures destroy. They wait until it is called. */
void changes_open(struct changes *c, struct texts *texts);
void changes_look(struct changes *c);
void changes_tell(struct changes *c, uint64_t number, struct slice body);
void changes_committed(struct changes *c);

#endif
