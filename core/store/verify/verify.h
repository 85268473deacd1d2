/*
 * Has anybody changed the ledger? Walks the chain of a ledger.db, or of its export, beside signed anchors and what a
 * witness has seen of it; offline, with nothing but these files and the public key.
 *
 *     struct verify_options o = {.data_dir = "data", .key_file = "anchor.pub", .witness_file = "witness.jsonl",
 *                                .on_finding = on_finding, .arg = me};
 *     struct verify_result r;
 *     if (!verify_ledger(&o, &r, &why)) …          // a file could not be read
 *     … r.state, r.entries, r.first_seq, r.last_seq, r.anchored_seq
 *
 * What finds whom: a changed, moved, missing or added entry breaks the chain; who makes all hashes anew cannot sign
 * them; who has the key too is contradicted by the witness, and so is who cuts off the end. Nobody finds what root
 * on the machine does to entries that no witness has seen yet: those of the last LIMIT_ANCHOR_MS.
 * After entries were deleted for their age the chain goes on from a hash that was kept, which the next anchor confirms,
 * and says itself that they were (store/ledger/keep.h).
 *
 * An export has a JSON object a line, in the chain's order: {"seq","kind","hash","body"}, kind as chain_kind_name()
 * says, body the text of what was hashed; and anchors, as anchor_write() makes them, each behind its entry. One that
 * does not begin with entry 1 begins with {"seq","hash"} of the entry before. Other tables, sealed texts and the file
 * itself (PRAGMA integrity_check) are looked at in a ledger.db only.
 * Memory: 120 bytes for each of the witness's anchors. Reads pages of entries, never for long in one transaction.
 */
#ifndef MOONGATE_STORE_VERIFY_VERIFY_H
#define MOONGATE_STORE_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "store/anchor/anchor.h"

enum verify_state {
    VERIFY_INTACT,
    VERIFY_INCOMPLETE, /* nothing contradicts, but not enough is there to know */
    VERIFY_TAMPERED,
};

/* clang-format off */
#define VERIFY_FINDINGS(X)                                                                                             \
    X(EMPTY, "empty", INCOMPLETE,                                                                                      \
      "There is no entry at all: this is a new ledger, or an emptied one.")                                            \
    X(GAP, "gap", TAMPERED,                                                                                            \
      "Entries are never without a number: some were deleted.")                                                        \
    X(ORDER, "order", TAMPERED,                                                                                        \
      "Entries stand in another order than they were written in.")                                                     \
    X(KIND, "kind", TAMPERED,                                                                                          \
      "No entry of this kind is ever written.")                                                                        \
    X(HASH, "hash", TAMPERED,                                                                                          \
      "The entry was changed or put in, or the one before it was.")                                                    \
    X(BEGINNING, "beginning", TAMPERED,                                                                                \
      "The first entries were deleted, and nothing says what stood there, or that they were deleted for "              \
      "their age.")                                                                                                    \
    X(GENESIS, "genesis", TAMPERED,                                                                                    \
      "The chain of another gateway or key, or its first entry was changed.")                                          \
    X(ANCHOR_HASH, "anchor_hash", TAMPERED,                                                                            \
      "The gateway signed another content: the chain up to here was written anew.")                                    \
    X(ANCHOR_FORGED, "anchor_signature", TAMPERED,                                                                     \
      "The anchor was changed, or it was signed with a key that is not among those given.")                            \
    X(ANCHOR_TIME, "anchor_time", TAMPERED,                                                                            \
      "Anchors are signed one after the other: one was changed, or the machine's clock was set back.")                 \
    X(ANCHOR_BEYOND, "anchor_beyond", TAMPERED,                                                                        \
      "The gateway signed entries that are not there: the end was cut off.")                                           \
    X(NO_ANCHOR, "no_anchor", INCOMPLETE,                                                                              \
      "Nothing signed covers these entries: anchors are missing, and whoever can write the file could have "           \
      "written them.")                                                                                                 \
    X(SUCCESSION, "key_change", TAMPERED,                                                                              \
      "The new key was not announced by one that is believed.")                                                        \
    X(WITNESS_HASH, "witness_hash", TAMPERED,                                                                          \
      "The witness saw another content: the chain up to here was written anew, with the gateway's key.")               \
    X(WITNESS_BEYOND, "witness_beyond", TAMPERED,                                                                      \
      "The witness saw entries that are not there: the end was cut off, or an older backup was put back.")             \
    X(WITNESS_FORGED, "witness_signature", INCOMPLETE,                                                                 \
      "The witness has a line that no key given has signed: it proves nothing.")                                       \
    X(NO_WITNESS, "no_witness", INCOMPLETE,                                                                            \
      "The file has no anchor of this gateway.")                                                                       \
    X(TABLES, "tables", TAMPERED,                                                                                      \
      "What is searched and summed is not what the chain says: `moongate ledger check` makes it anew.")                \
    X(TEXT, "text", TAMPERED,                                                                                          \
      "The kept text is not the one of its record.")                                                                   \
    X(FILE, "file", TAMPERED,                                                                                          \
      "The database file is damaged.")
/* clang-format on */

enum verify_kind {
#define X(name, word, state, meaning) VERIFY_##name##_FOUND,
    VERIFY_FINDINGS(X)
#undef X
};

struct verify_finding {
    enum verify_kind kind;
    enum verify_state state;
    const char *word, *meaning; /* "hash", and what it means, for people */
    uint64_t seq;               /* of the entry; 0: of none */
    const char *text;           /* what was found there; borrowed for the call */
};

struct verify_options {
    const char *data_dir;     /* its ledger.db; NULL: `file` is an export */
    const char *file;         /* an export; with data_dir: another ledger.db than the one in it, or NULL */
    const char *key_file;     /* public keys in PEM; NULL: <data_dir>/anchor.pub, which a forger may have changed */
    const char *witness_file; /* a line an anchor; NULL: none */
    bool is_quick;            /* the chain, anchors and witness alone */
    void (*on_progress)(void *arg, uint64_t done, uint64_t of); /* now and then; of: 0, not known. May be NULL */
    void (*on_finding)(void *arg, const struct verify_finding *finding); /* the first LIMIT_DIAGNOSTICS of them */
    void *arg;
};

struct verify_result {
    enum verify_state state;
    uint64_t entries, first_seq, last_seq;
    uint8_t hash[CHAIN_HASH_BYTES]; /* of the last entry */
    uint64_t anchors;               /* of good signature, their entry's hash the same */
    uint64_t anchored_seq;          /* up to here the chain is covered by one; entries behind it are not anchored yet */
    uint64_t anchored_us;           /* when that was signed */
    uint64_t witnessed, witnessed_seq; /* the same of the witness */
    uint64_t witness_others, witness_unread; /* its lines of other gateways, and those that are no anchors */
    uint64_t lost;                  /* records that could not be kept, as the chain says itself */
    uint64_t texts, texts_erased, texts_closed; /* opened and good; key destroyed; no subjects.db to open them with */
    uint64_t findings;
    char gateway[256], key[ANCHOR_FINGERPRINT_BYTES]; /* the key that signed the last anchor; "" */
};

/* False: *why names the file that could not be read. */
bool verify_ledger(const struct verify_options *options, struct verify_result *result, struct fault *why);

const char *verify_state_name(enum verify_state state); /* "intact", "incomplete", "tampered" */

#endif
