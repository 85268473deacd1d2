/*
 * Makes the section that a keyring reads (store/keyring.h): of records, or of JSON.
 *
 *     struct keyring_build *b = keyring_build_new();
 *     if (!keyring_build_add(b, &key, &why)) …                 // a text too long, a digest that another key has
 *     bool is_good = keyring_build_end(b, &(struct section_about){.revision = 42}, &bytes, &why);
 *     keyring_build_free(b);
 *
 * Errors name the key by its place, "keys[7].digest".
 */
#ifndef MOONGATE_STORE_KEYRING_BUILD_H
#define MOONGATE_STORE_KEYRING_BUILD_H

#include "base/buf.h"
#include "store/keyring.h"
#include "store/section/section.h"

struct json_t; /* jansson.h cannot be included beside wire/json.h */
struct keyring_build;

struct keyring_build *keyring_build_new(void);
void keyring_build_free(struct keyring_build *b); /* NULL is welcome */
/* Copies. False and *why: it is not in it. */
bool keyring_build_add(struct keyring_build *b, const struct key_record *key, struct fault *why);
/* {"id","digest" (64 hex),"app","department","user","team","tier","region","clearance","env","person","roles":[…],
 * "labels":{…},"approvals":[…],"expires_at" (s since 1970, 0 never),"revoked","ends_requests"} */
bool keyring_build_add_json(struct keyring_build *b, struct json_t *key, struct fault *why);
/* The record with what such an object has beside it. */
bool keyring_build_add_fields(struct keyring_build *b, const struct key_record *key, struct json_t *fields,
                              struct fault *why);
/* Appends; once, last. Of `about` epoch and revision are taken. */
bool keyring_build_end(struct keyring_build *b, const struct section_about *about, struct buf *out, struct fault *why);

/* {"keys":[…]}, as what it makes is read. NULL and *why on bad input. */
struct keyring *keyring_parse(struct slice json, struct fault *why);
/* The same text as a section, appended. */
bool keyring_build_text(struct slice json, const struct section_about *about, struct buf *out, struct fault *why);

#endif
