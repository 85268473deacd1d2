/*
 * What the files of the sealed texts share; nobody else includes it.
 *
 *     texts/texts.c        what goes into the ledger and is read from it
 *     texts/keys.c   subjects.db: making, finding and destroying keys
 *     texts/cipher.c AES-256-GCM over one text
 */
#ifndef MOONGATE_STORE_TEXTS_TEXTS_INNER_H
#define MOONGATE_STORE_TEXTS_TEXTS_INNER_H

#include "store/texts/texts.h"

#define TEXT_KEY_BYTES 32
#define TEXT_KEY_ID_BYTES 8

struct text_key {
    uint8_t id[TEXT_KEY_ID_BYTES]; /* random: a subject's key after an erasure is another one */
    uint8_t bytes[TEXT_KEY_BYTES];
};

/* ---- texts/cipher.c */
/* Appends version, key id, nonce, sealed bytes and tag. False: the system gives no random bytes. */
bool text_seal(const struct text_key *key, const struct text *text, struct buf *out);
/* The id of the key that a sealed text needs; NULL: it is none. */
const uint8_t *text_key_id(struct slice sealed);
/* Appends the text; false, and nothing appended, when it is not what was sealed. `text`'s bytes are the sealed ones. */
bool text_unseal(const struct text_key *key, const struct text *text, struct buf *out);

/* ---- texts/keys.c */
struct text_keys;

struct text_keys *text_keys_open(const char *data_dir, bool is_reader, struct fault *why);
void text_keys_close(struct text_keys *k);
enum texts_found text_keys_find(struct text_keys *k, struct slice subject, struct text_key *key, struct fault *why);
/* A new one, of which nothing is on the disk before text_keys_commit(). */
bool text_keys_make(struct text_keys *k, struct slice subject, struct text_key *key, struct fault *why);
bool text_keys_commit(struct text_keys *k, struct fault *why);
void text_keys_rollback(struct text_keys *k);
bool text_keys_destroy(struct text_keys *k, struct slice subject, bool *destroyed, struct fault *why);

#endif
