/*
 * What the ledger process has open: the anchors' key, the keys of texts, the ledger itself; all of it or nothing.
 *
 *     struct files f = {.ledger = NULL};
 *     if (!files_open(&f, &options, anchors, &why)) …     // to be tried again
 *     files_close(&f);
 */
#ifndef MOONGATE_LEDGER_FILES_H
#define MOONGATE_LEDGER_FILES_H

#include <stdbool.h>

#include "store/ledger.h"

struct anchor_key;
struct anchors;
struct texts;

struct files {
    struct anchor_key *key;
    struct texts *texts;
    struct ledger *ledger;
};

/* The options' key_fingerprint is set here. */
bool files_open(struct files *f, struct ledger_options *options, struct anchors *anchors, struct fault *why);
void files_close(struct files *f);

#endif
