/*
 * The hash chain of the ledger: each entry's hash covers the one before it, so that none can be changed, moved, left
 * out or put in without all that follow telling another story (RFC 9162 has the same idea as a tree).
 *
 *     uint8_t hash[CHAIN_HASH_BYTES];
 *     chain_genesis(hash, gateway, key);                    // before the first entry
 *     chain_hash(hash, hash, seq, CHAIN_EXCHANGE, body);    // each next one, from the one before it
 *
 * hash_n = SHA-256(hash_{n-1} ‖ n, 8 bytes big-endian ‖ kind, 1 byte ‖ body). Whoever can write the file can compute
 * all of them anew: what holds against that are signed anchors, and a witness outside that has seen them
 * (store/anchor/anchor.h).
 */
#ifndef MOONGATE_STORE_CHAIN_H
#define MOONGATE_STORE_CHAIN_H

#include <stdint.h>

#include "base/slice.h"

#define CHAIN_HASH_BYTES 32

/* What an entry is; kept in the file as these numbers, so that none may ever change. */
enum chain_kind {
    CHAIN_START = 1,    /* a ledger process began: {"gateway", "version", "time", "key"} */
    CHAIN_EXCHANGE = 2, /* one request, over: what flow/record.h writes */
    CHAIN_INTENT = 3,   /* one request, about to be sent to a provider: the same, as far as it is known */
    CHAIN_CHANGE = 4,   /* what an administrator changed: what store/change.h writes */
    CHAIN_LOSS = 5,     /* records that could not be kept: {"count", "reason", "time"} */
    CHAIN_STOP = 6,     /* a ledger process ended in order */
    CHAIN_IMPORT = 7,   /* a line of an older audit.jsonl, as it stands there */
    CHAIN_ALERT = 8,    /* a budget is used up to some part: what flow/notices.h writes */
};

/* Before the first entry of a gateway whose anchors are signed with the key of this fingerprint. */
void chain_genesis(uint8_t hash[CHAIN_HASH_BYTES], struct slice gateway, struct slice key_fingerprint);
/* `hash` and `before` may be the same memory. */
void chain_hash(uint8_t hash[CHAIN_HASH_BYTES], const uint8_t before[CHAIN_HASH_BYTES], uint64_t seq,
                enum chain_kind kind, struct slice body);
/* "exchange", "intent" …; NULL: no kind has this number. */
const char *chain_kind_name(int kind);

#endif
