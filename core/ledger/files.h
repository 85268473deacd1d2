/*
 * What the ledger process has open: the anchors' key, the keys of texts, the ledger itself; all of it or nothing.
 *
 *     struct files f = {.ledger = NULL};
 *     if (!files_open(&f, &options, anchors, &why)) …     // to be tried again
 *     if (files_are_alone(&f)) …     // no other ledger process has them open, or tries to
 *     files_close(&f);
 */
#ifndef MOONGATE_LEDGER_FILES_H
#define MOONGATE_LEDGER_FILES_H

#include <stdbool.h>

#include "store/ledger/ledger.h"

struct anchor_key;
struct anchors;
struct texts;

struct files {
    struct anchor_key *key;
    struct texts *texts;
    struct ledger *ledger;
    int living; /* its mark in the data folder, from the first attempt on; 0: none */
};

/* The options' key_fingerprint is set here. */
bool files_open(struct files *f, struct ledger_options *options, struct anchors *anchors, struct fault *why);
/* Another one takes what its own workers send: those of a supervisor that was killed end what is under way. Nothing of
 * theirs is abandoned, and the last of the processes looks for what is. */
bool files_are_alone(const struct files *f);
void files_close(struct files *f);

#endif
