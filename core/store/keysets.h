/*
 * The keys of issuers as a worker has them: what the admin process fetched, by URL.
 *
 *     struct keysets *sets = keysets_new();
 *     keysets_put(sets, url, jwks, wall_ns, mono_ns);     // fetched; or keysets_failed(), keysets_answered()
 *     const struct jwks *keys = keysets_get(sets, url, now_wall_ns);
 *     switch (keysets_ask(sets, url, now_mono_ns)) { case KEYSETS_ASK: tell the admin process; … }
 *     keysets_free(sets);
 *
 * A failed attempt leaves what is there, for LIMIT_JWKS_STALE_S after it was fetched. At most LIMIT_JWKS_SOURCES.
 */
#ifndef MOONGATE_STORE_KEYSETS_H
#define MOONGATE_STORE_KEYSETS_H

#include "wire/jwks.h"

struct keysets;

enum keysets_ask {
    KEYSETS_ASK,  /* ask for them, then wait */
    KEYSETS_WAIT, /* somebody has asked and the answer is on its way */
    KEYSETS_NO,   /* they have just been asked for: what is there is all there is */
};

struct keysets *keysets_new(void);
void keysets_free(struct keysets *sets); /* NULL is welcome */
/* They were fetched at wall_ns; takes the set. */
void keysets_put(struct keysets *sets, struct slice url, struct jwks *keys, uint64_t wall_ns, uint64_t mono_ns);
/* Those are others than before: whoever lacks a key now may ask at once. */
void keysets_changed(struct keysets *sets, struct slice url);
/* An attempt to fetch them has failed. */
void keysets_failed(struct keysets *sets, struct slice url, uint64_t mono_ns);
/* There was no attempt: they have been asked for too often. */
void keysets_answered(struct keysets *sets, struct slice url, uint64_t mono_ns);
/* NULL: never had, or too old. */
const struct jwks *keysets_get(const struct keysets *sets, struct slice url, uint64_t wall_ns);
/* The last attempt failed, or none has ended: that a key is unknown means little. */
bool keysets_is_failing(const struct keysets *sets, struct slice url);
enum keysets_ask keysets_ask(struct keysets *sets, struct slice url, uint64_t mono_ns);

#endif
