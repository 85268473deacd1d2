/*
 * Requests that were announced and never told of again, because their worker died: each gets its record, made from what
 * was announced, with the outcome "abandoned".
 *
 *     abandoned_record(ledger, commit, is_claimed, arg, &why);     // how many of a slice there were; UINT_MAX: fault
 *
 * is_claimed: a worker of this instance lives, or what it sent before its death is not read to the end. Who asks makes
 * sure that every living worker has said who it is. Twice is once: the second record is known already.
 */
#ifndef MOONGATE_LEDGER_ABANDONED_H
#define MOONGATE_LEDGER_ABANDONED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "ledger/commit.h"

typedef bool (*abandoned_claimed_fn)(void *arg, const uint8_t instance[LINK_ID_BYTES]);

unsigned abandoned_record(struct ledger *ledger, struct commit *commit, abandoned_claimed_fn is_claimed, void *arg,
                          struct fault *why);
/* The announcement as a record. */
void abandoned_format(struct slice intent, struct buf *out);

#endif
