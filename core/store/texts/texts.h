/*
 * Prompts and answers, kept where a policy says so: each sealed with a key of whom it is about, so that destroying that
 * key erases the texts from the ledger, its copies and its backups alike, and the chain, which has their salted hashes
 * only, stays whole.
 *
 *     struct texts *t = texts_open("data", &why);                  // <data>/subjects.db, made when there is none
 *     texts_seal(t, &text, &why);                                  // in memory, with each record of a batch
 *     texts_flush(t, ledger, &why) && ledger_commit(ledger, &why); // at the batch's end; texts_drop() when it failed
 *     texts_read(t, ledger_connection(ledger), id, part, &out, &why);
 *     texts_destroy_key(t, subject, &destroyed, &why);             // see store/erase.h, which writes it into the chain
 *
 * AES-256-GCM; a random nonce each, a random key a subject; the id, the part and the subject are authenticated with it,
 * so that no text can be laid under another record. Keys stand in subjects.db (SQLite, 0600, secure_delete) and nowhere
 * else, in the clear: who can read that file can read the texts. It is no part of backups and exports, and whoever
 * copies it undoes erasure. A new key is on the disk before a text that needs it is: killed in between, a process
 * leaves a key that nobody uses.
 *
 * A destroyed key is overwritten; the file is searched for copies and made anew when there are any; its log is cut to
 * nothing. What a disk keeps of blocks that were given back is out of reach: such disks are to be encrypted.
 * After that a subject's later texts get a new key. A sealed row tells which key it needs, so that an erased text is
 * told from a damaged one. Blocking; never on a worker.
 */
#ifndef MOONGATE_STORE_TEXTS_TEXTS_H
#define MOONGATE_STORE_TEXTS_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "store/chain.h"

struct ledger;
struct sqlite3;
struct texts;

#define TEXTS_FILE "subjects.db"
#define TEXTS_PROMPT SLICE("prompt")
#define TEXTS_ANSWER SLICE("answer")

struct text {
    const uint8_t *id;    /* of the record, 16 bytes */
    struct slice part;    /* TEXTS_PROMPT or TEXTS_ANSWER */
    struct slice subject; /* whom it is about; at most LIMIT_TEXT_SUBJECT_BYTES */
    struct slice bytes;
    uint64_t time_us;
};

enum texts_found {
    TEXTS_FOUND,
    TEXTS_MISSING, /* there is no such text */
    TEXTS_ERASED,  /* its key is destroyed */
    TEXTS_DAMAGED, /* it is not what was sealed */
    TEXTS_FAILED,  /* *why */
};

struct texts *texts_open(const char *data_dir, struct fault *why);
/* For who only reads: NULL with an empty *why when there is no such file. */
struct texts *texts_open_reader(const char *data_dir, struct fault *why);
void texts_close(struct texts *t); /* NULL is welcome */

/* Seals a copy, which is held until texts_flush() or texts_drop(); `text` is borrowed for the call. */
bool texts_seal(struct texts *t, const struct text *text, struct fault *why);
/* Puts new keys on the disk, then the sealed texts into the ledger's open batch. False: texts_drop() is to follow, and
 * the batch to be put again. */
bool texts_flush(struct texts *t, struct ledger *l, struct fault *why);
/* What was sealed since the last flush, and new keys that it alone used. */
void texts_drop(struct texts *t);

/* db: a connection to the ledger. Appends to `out` when TEXTS_FOUND. */
enum texts_found texts_read(struct texts *t, struct sqlite3 *db, const uint8_t *id, struct slice part, struct buf *out,
                            struct fault *why);
/* The same of a row at hand; `text`'s bytes are the sealed ones. */
enum texts_found texts_unseal(struct texts *t, const struct text *text, struct buf *out, struct fault *why);

/* Not while anything is sealed and not flushed. *destroyed: there was one. True also when there was none. */
bool texts_destroy_key(struct texts *t, struct slice subject, bool *destroyed, struct fault *why);

/* What a record says of a text: SHA-256(salt ‖ text). */
void texts_hash(uint8_t hash[CHAIN_HASH_BYTES], struct slice salt, struct slice bytes);

#endif
