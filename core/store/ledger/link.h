/*
 * What workers and the ledger process say to each other over their pipes (net/pipe.h).
 *
 * A worker numbers its entries from 1 on each pipe and keeps each until it is acknowledged; on a new pipe it sends all
 * that it has kept again, in their order, numbered anew. An id that the ledger has already (of that kind) is
 * acknowledged and not stored twice. Acknowledgements are cumulative.
 */
#ifndef MOONGATE_STORE_LEDGER_LINK_H
#define MOONGATE_STORE_LEDGER_LINK_H

#include <stdint.h>
#include <string.h>

#include "store/owned.h"

#define LINK_ID_BYTES 16   /* the UUID of "req_…" in binary */

enum link_message {
    LINK_HELLO = 1, /* worker → ledger, first on each pipe: struct link_hello */
    LINK_ENTRY, /* worker → ledger: struct link_entry, then body_bytes, prompt_bytes, answer_bytes, subject_bytes */
    LINK_ACK,   /* ledger → worker: struct link_ack */
    LINK_STATE, /* ledger → worker, first on each pipe and at each change: struct link_state, then a reason */
    LINK_ASK,   /* worker → ledger: struct link_ask, then its keys */
    LINK_TOLD,  /* ledger → worker, to each of these: struct link_ask, then a struct owned for each key */
    LINK_LIST,  /* worker → ledger: struct link_list, then the owner */
    LINK_LISTED, /* ledger → worker, to each of these: struct link_listed, then each: struct link_object and its id */
};

/* How durable an entry is before its client gets the last byte; in the order of their strength. */
enum durability {
    DURABILITY_UNSAID, /* no policy said: what moongate.lua says */
    DURABILITY_ASYNC,  /* nothing waits */
    DURABILITY_LOCAL,  /* committed on this machine's disk */
    DURABILITY_REMOTE, /* PostgreSQL has it too */
};

struct link_hello {
    uint8_t instance[LINK_ID_BYTES]; /* of the worker process, random: its intents are known by it */
};

/* Whose holds they are that this worker opens (store/counters/table.h). */
static inline uint64_t link_owner(const uint8_t instance[LINK_ID_BYTES])
{
    uint64_t owner;
    memcpy(&owner, instance, sizeof owner);
    return owner;
}

struct link_entry {
    uint64_t number;
    uint8_t id[LINK_ID_BYTES];
    uint8_t kind;       /* of enum chain_kind: CHAIN_EXCHANGE, CHAIN_INTENT, CHAIN_LOSS or CHAIN_ALERT */
    uint8_t durability; /* of enum durability, never UNSAID */
    uint16_t zero;
    uint32_t body_bytes;                                /* the canonical JSON, without a newline */
    uint32_t prompt_bytes, answer_bytes, subject_bytes; /* texts to be sealed (store/texts/texts.h); 0: none */
};

/* Whose are these objects? Of one that is nobody's, or is over, all that is told is zeros. */
struct link_ask {
    uint64_t number;     /* the worker's own */
    uint32_t count;      /* 1 … LIMIT_KEPT */
    uint32_t is_failing; /* of an answer, 1: nothing could be read, and nothing follows */
};

/* Which objects of a kind has an owner made? A page of them. */
struct link_list {
    uint64_t number; /* the worker's own */
    uint32_t kind;   /* enum kept_kind (wire/kept.h) */
    uint32_t limit;  /* 1 … LIMIT_LISTED */
    uint32_t is_ascending; /* 1: the oldest first */
    uint32_t has_after;    /* 1: they begin behind that one */
    struct owned_key after;
};

enum link_list_state {
    LINK_LIST_GOOD,
    LINK_LIST_NOWHERE, /* `after` is none of the owner's */
    LINK_LIST_UNREAD,  /* nothing could be read; as with NOWHERE nothing follows */
};

struct link_listed {
    uint64_t number;
    uint32_t state; /* enum link_list_state */
    uint32_t count; /* up to the limit */
    uint32_t has_more, zero;
};

struct link_object {
    int64_t made_s; /* since 1970 */
    uint32_t id_bytes, zero;
};

struct link_ack {
    uint64_t committed; /* all numbers up to this are on the disk */
    uint64_t shipped;   /* … and up to this in PostgreSQL; UINT64_MAX never occurs */
};

struct link_state {
    uint32_t is_failing; /* 1: nothing can be committed now; strict requests are refused */
    uint32_t is_remote_failing; /* 1: PostgreSQL cannot be reached */
};

#endif
