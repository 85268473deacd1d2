/*
 * Committed entries of <data>/ledger.db in their order, for who carries them elsewhere: a reader of its own beside the
 * one writer.
 *
 *     struct ledger_feed *feed = ledger_feed_open("data", &why);
 *     ledger_feed_check(feed, seq, hash, &link, &why);             // does what is elsewhere lie on this chain?
 *     ledger_feed_read(feed, seq, 64, batch, &why);                // the next ones behind seq, into a batch
 *     ledger_feed_close(feed);
 *
 * Blocks for a disk's read at a time, some rows each; holds no transaction between calls, so that the writer can give
 * the log's space back. Writes nothing.
 */
#ifndef MOONGATE_STORE_LEDGER_FEED_H
#define MOONGATE_STORE_LEDGER_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "store/chain.h"

struct ledger_batch;
struct ledger_feed;

enum ledger_feed_link {
    FEED_FOLLOWS, /* the place lies on this chain: what is behind it follows */
    FEED_OLDER,   /* this file ends before the place */
    FEED_OTHER,   /* it has other entries there, or none any more */
};

struct ledger_feed *ledger_feed_open(const char *data_dir, struct fault *why);
void ledger_feed_close(struct ledger_feed *feed); /* NULL is welcome */

/* Seq 0 is before the first entry, and follows always. False: the file cannot be read. */
bool ledger_feed_check(struct ledger_feed *feed, uint64_t seq, const uint8_t hash[CHAIN_HASH_BYTES],
                       enum ledger_feed_link *link, struct fault *why);
/* At most so many entries behind `after`, until the batch is full. False: the file cannot be read, or an entry between
 * them is missing; then the batch is not to be sent. */
bool ledger_feed_read(struct ledger_feed *feed, uint64_t after, size_t rows_max, struct ledger_batch *batch,
                      struct fault *why);
/* At most LIMIT_SHIP_ANCHORS signed heads behind `after`; *last becomes the last one's seq. */
bool ledger_feed_anchors(struct ledger_feed *feed, uint64_t after, struct ledger_batch *batch, uint64_t *last,
                         struct fault *why);
/* 0: there is none. */
bool ledger_feed_head(struct ledger_feed *feed, uint64_t *seq, struct fault *why);
/* When the first exchange behind `after` came, microseconds since 1970; 0: there is none. */
bool ledger_feed_time(struct ledger_feed *feed, uint64_t after, int64_t *time_us, struct fault *why);

#endif
