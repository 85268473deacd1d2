/*
 * What the registry says, as workers get it: one memory file with the keys and the top-ups of one moment.
 *
 *     registry_export(registry, now_s, &bytes, &why);
 *     struct snapshot snapshot;
 *     if (!snapshot_parse(buf_slice(&bytes), NULL, &snapshot, &why)) …
 *     flow_set_registry(flow, snapshot.keyring, snapshot.topups);
 *     snapshot_clear(&snapshot);
 *
 * Two documents, a line each: the few top-ups are read without the many keys. Who writes it and who reads it are
 * processes of one gateway, and of one build.
 */
#ifndef MOONGATE_STORE_SNAPSHOT_H
#define MOONGATE_STORE_SNAPSHOT_H

#include <stdbool.h>

#include "store/keyring.h"
#include "store/topups.h"


struct snapshot {
    struct keyring *keyring;
    struct topups *topups;
    uint8_t keys_digest[KEY_DIGEST_BYTES]; /* of the text that the keyring was read from; zero: of none */
};

/* before: the one that is there; where its keys are the same, its keyring is shared, which spares a worker with many
 * keys their reading for each top-up. NULL: there is none. False and *why: there is nothing to clear. */
bool snapshot_parse(struct slice bytes, const struct snapshot *before, struct snapshot *s, struct fault *why);
void snapshot_clear(struct snapshot *s);

#endif
