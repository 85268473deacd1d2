/*
 * What the registry says, as a worker has it: a view for each kind of section, the newest that is good.
 *
 *     struct snapshot s;
 *     snapshot_init(&s);                                             // empty views: nobody is known
 *     if (snapshot_take(&s, SECTION_KEYS, fd, &why) == SNAPSHOT_TAKEN) flow_set_registry(flow, &s);
 *     snapshot_clear(&s);
 *
 * One more kind is one more row in snapshot.c. What is taken replaces its own kind alone, and what fails its check
 * nothing: the view that was there stays. Who holds a reference of a view goes on with it.
 */
#ifndef MOONGATE_STORE_SNAPSHOT_H
#define MOONGATE_STORE_SNAPSHOT_H

#include "store/grants.h"
#include "store/keyring.h"
#include "store/people.h"
#include "store/prompts.h"
#include "store/section/section.h"
#include "store/topups.h"

struct snapshot {
    struct keyring *keyring;
    struct topups *topups;
    struct grants *grants;
    struct people *people;
    struct prompts *prompts; /* NULL: there are none */
};

enum snapshot_taken {
    SNAPSHOT_REFUSED, /* and *why; all is as it was */
    SNAPSHOT_SAME,    /* its content is there already */
    SNAPSHOT_TAKEN,
};

void snapshot_init(struct snapshot *s);
void snapshot_clear(struct snapshot *s);
/* fd: a sealed memory file; the caller's. */
enum snapshot_taken snapshot_take(struct snapshot *s, uint32_t kind, int fd, struct fault *why);

#endif
