/*
 * What the files of the verification share; nobody else includes it.
 *
 *     verify/verify.c         which key, which file, and what it came to
 *     verify/file.c    gives the judges entries and anchors out of a ledger.db …
 *     verify/export.c  … or out of an export, in the chain's order
 *     verify/entry.c   judges entries, each behind the one before it
 *     verify/anchor.c  judges anchors, each behind its entry
 *     verify/witness.c judges what a witness has seen of them
 *     verify/end.c     judges what is missing, when all was given
 *     verify/texts.c   sealed texts against what their records say
 *     verify/say.c     findings
 *
 * A file calls only those below it.
 */
#ifndef MOONGATE_STORE_VERIFY_VERIFY_INNER_H
#define MOONGATE_STORE_VERIFY_VERIFY_INNER_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/chain.h"
#include "store/verify/verify.h"

/* One anchor that the witness has. */
struct verify_seen {
    uint64_t seq, time_us, line;
    uint8_t hash[CHAIN_HASH_BYTES], signature[ANCHOR_SIGNATURE_BYTES];
};

struct verify_witness {
    struct verify_seen *all; /* by seq */
    size_t count, cap, next;
};

struct verify {
    const struct verify_options *options;
    struct verify_result *result;
    struct anchor_trust trust;
    struct buf gateway, key; /* what the chain begins with; the key's fingerprint */
    bool is_known;           /* gateway and key are set */
    uint8_t hash[CHAIN_HASH_BYTES];
    struct verify_base {
        uint64_t seq;
        uint8_t hash[CHAIN_HASH_BYTES];
    } base; /* the last entry that was deleted for its age; its seq is 0 when nothing says */
    bool is_base_new; /* another one than when the walk began */
    bool is_cut;      /* the first entry stands on it */
    uint64_t cut;     /* up to here, exclusively, the chain says that it is deleted */
    uint64_t early; /* the last anchor's entry, of those before the first entry */
    uint64_t anchor_us; /* of the last anchor */
    uint64_t of;        /* entries there are; 0: not known */
    struct buf tail;    /* the first entry that no anchor covers yet, and the last one */
    struct buf last;
    struct verify_witness witness;
};

struct verify_entry {
    uint64_t seq;
    int64_t kind;
    struct slice body, hash;
};

/* ---- verify/say.c */
/* Of a forger's file, too: one line of valid UTF-8 that no terminal obeys. */
void verify_show(struct slice text, char *to, size_t size);
void verify_say(struct verify *v, enum verify_kind kind, uint64_t seq, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- verify/entry.c */
void verify_entry(struct verify *v, const struct verify_entry *e);
/* Whose chain it is, out of the entry that a ledger begins with. */
void verify_start(struct verify *v, struct slice body);

/* ---- verify/anchor.c */
/* a's gateway may be empty: then it is the chain's. */
void verify_anchor(struct verify *v, struct anchor *a);
/* Whose chain it is, where no first entry says it: false when nobody believed has signed the anchor. */
bool verify_adopt(struct verify *v, const struct anchor *a);
/* Something signed covers all up to here. */
void verify_covered(struct verify *v, uint64_t seq, uint64_t time_us);

/* ---- verify/end.c */
/* When all was given. */
void verify_end(struct verify *v);

/* ---- verify/witness.c */
bool verify_witness_read(struct verify *v, const char *path, struct fault *why);
void verify_witness_entry(struct verify *v, uint64_t seq);
void verify_witness_end(struct verify *v);

/* ---- verify/file.c, verify/export.c, verify/texts.c */
bool verify_file(struct verify *v, const char *path, struct fault *why);
bool verify_export(struct verify *v, const char *path, struct fault *why);
struct sqlite3;
bool verify_texts(struct verify *v, struct sqlite3 *db, struct fault *why);

#endif
