/*
 * Changes by administrators on their way into the chain: of keys, from the registry, where they were noted with what
 * was changed; of the gateway itself, from the supervisor, which keeps each until it hears that it is committed.
 *
 *     struct changes *c = changes_new(loop, data_dir, commit, on_kept, arg);
 *     changes_look(c);                     // the registry may have new ones
 *     changes_tell(c, number, body);       // one of the supervisor's
 *     changes_committed(c);                // behind each commit: on_kept(arg, number); the registry's are marked
 *     changes_free(c);
 *
 * An entry is known by its id, so that one which is taken again (somebody was killed before he could say that it is
 * there) is not stored twice. A registry that another process holds, or that cannot be read, is tried again each
 * second. What is no change's JSON is left out, and named in the log.
 */
#ifndef MOONGATE_LEDGER_CHANGES_H
#define MOONGATE_LEDGER_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "ledger/commit.h"

struct changes;
struct loop;

struct changes *changes_new(struct loop *loop, const char *data_dir, struct commit *commit,
                            void (*on_kept)(void *arg, uint64_t number), void *arg);
void changes_free(struct changes *c); /* NULL is welcome */
void changes_look(struct changes *c);
void changes_tell(struct changes *c, uint64_t number, struct slice body);
void changes_committed(struct changes *c);

#endif
