/*
 * Signed heads of the hash chain: who can write the ledger can compute all its hashes anew, but not what was signed
 * before with a key that he has not, and not what a witness outside has seen of it.
 *
 *     struct anchor_key *key = anchor_key_open("data", &why);           // made at the first start
 *     struct anchor a = {.gateway = name, .seq = head, .time_us = now, .hash = …};
 *     anchor_sign(key, &a);
 *     anchor_write(&a, anchor_key_public(key), &line);                  // one JSON line, for witnesses
 *
 *     struct anchor_trust trust;                                        // an auditor, who has anchor.pub only
 *     anchor_trust_read(&trust, "anchor.pub", &why) && anchor_read(line, &a, &arena, &why)
 *     && anchor_signer(&trust, &a) != NULL
 *
 * Ed25519 (RFC 8032) over five lines, each ended by a newline: "moongate anchor 1", the gateway's name as a JSON
 * string, seq, time_us, the hash in hexadecimal digits. <data>/anchor.key is PEM (PKCS #8, 0600) and never leaves the
 * machine; <data>/anchor.pub has the last LIMIT_ANCHOR_KEYS public keys, the present one last, and is for auditors, who
 * keep a copy elsewhere. A key's fingerprint is the SHA-256 of its SubjectPublicKeyInfo:
 * `openssl pkey -pubin -in anchor.pub -outform DER | sha256sum`.
 *
 * A new key is announced inside the chain by the old one (anchor_succession_write), so that who trusts the old one can
 * go on. Neither stops a thief of the key who is root on the machine: that is what witnesses are for.
 */
#ifndef MOONGATE_STORE_ANCHOR_ANCHOR_H
#define MOONGATE_STORE_ANCHOR_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/slice.h"
#include "store/chain.h"

#define ANCHOR_KEY_FILE "anchor.key"
#define ANCHOR_NEXT_FILE "anchor.key.next" /* made by an operator, taken at the ledger's next start */
#define ANCHOR_PUBLIC_FILE "anchor.pub"

#define ANCHOR_PUBLIC_BYTES 32
#define ANCHOR_SIGNATURE_BYTES 64
#define ANCHOR_FINGERPRINT_BYTES 65 /* hexadecimal digits and the NUL */

struct anchor_key; /* the private half */

struct anchor_public {
    uint8_t bytes[ANCHOR_PUBLIC_BYTES];
    char fingerprint[ANCHOR_FINGERPRINT_BYTES];
};

struct anchor {
    struct slice gateway;
    uint64_t seq, time_us;
    uint8_t hash[CHAIN_HASH_BYTES];
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
};

/* Public keys that are believed. */
struct anchor_trust {
    struct anchor_public keys[LIMIT_ANCHOR_KEYS];
    size_t count;
};

/* ---- The gateway's key. */

/* Makes it when there is none. NULL and *why when it cannot be read, is not this user's alone, or is none. */
struct anchor_key *anchor_key_open(const char *data_dir, struct fault *why);
/* The one that is to follow; NULL with an empty *why: none is. */
struct anchor_key *anchor_key_open_next(const char *data_dir, struct fault *why);
/* Makes the one that is to follow; refused while there is one. */
bool anchor_key_make_next(const char *data_dir, struct fault *why);
/* From now on the next one is the key. To be called when its announcement is on the disk. */
bool anchor_key_take_next(const char *data_dir, struct fault *why);
/* Wipes it. NULL is welcome. */
void anchor_key_free(struct anchor_key *key);
const struct anchor_public *anchor_key_public(const struct anchor_key *key);
void anchor_key_sign(const struct anchor_key *key, struct slice text, uint8_t signature[ANCHOR_SIGNATURE_BYTES]);

/* ---- Anchors. */

/* Sets the signature. */
void anchor_sign(const struct anchor_key *key, struct anchor *a);
/* Which of them signed it; NULL: none. */
const struct anchor_public *anchor_signer(const struct anchor_trust *trust, const struct anchor *a);
/* Appends {"moongate_anchor":1,"gateway","seq","time","time_us","hash","key","signature"}, without a newline. */
void anchor_write(const struct anchor *a, const struct anchor_public *signer, struct buf *out);
/* The gateway's name lies in the arena. */
bool anchor_read(struct slice line, struct anchor *a, struct arena *arena, struct fault *why);

/* ---- Public keys, and which of them are believed. */

bool anchor_trust_read(struct anchor_trust *trust, const char *path, struct fault *why);
bool anchor_trust_has(const struct anchor_trust *trust, const struct anchor_public *key);
/* False: there are LIMIT_ANCHOR_KEYS already. Twice is once. */
bool anchor_trust_add(struct anchor_trust *trust, const struct anchor_public *key);
/* The same of one that another announced; the oldest makes place: it signs nothing any more. */
void anchor_trust_follow(struct anchor_trust *trust, const struct anchor_public *next);
/* The fingerprint is made from the bytes. */
void anchor_public_set(struct anchor_public *key, const uint8_t bytes[ANCHOR_PUBLIC_BYTES]);
bool anchor_public_signed(const struct anchor_public *key, struct slice text,
                          const uint8_t signature[ANCHOR_SIGNATURE_BYTES]);

/* ---- A new key: the body of a CHAIN_CHANGE entry, with the old one's signature over both. */

#define ANCHOR_SUCCESSION "rotate_anchor_key" /* its action */

void anchor_succession_write(const struct anchor_key *old, const struct anchor_public *next, struct slice gateway,
                             struct slice actor, struct buf *body);
enum anchor_succession { SUCCESSION_NONE, SUCCESSION_GOOD, SUCCESSION_FORGED };
/* NONE: the entry is about something else. GOOD: one of those trusted announced *next. */
enum anchor_succession anchor_succession_read(struct slice body, struct slice gateway, const struct anchor_trust *trust,
                                              struct anchor_public *next);

#endif
