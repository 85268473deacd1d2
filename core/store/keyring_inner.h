/*
 * A keyring's section: what who builds it and who reads it share; nobody else includes it.
 */
#ifndef MOONGATE_STORE_KEYRING_INNER_H
#define MOONGATE_STORE_KEYRING_INNER_H

#include "store/keyring.h"
#include "store/section/section.h"

enum { KEYRING_KEYS, KEYRING_PROFILES, KEYRING_ITEMS, KEYRING_LABELS, KEYRING_BY_DIGEST, KEYRING_TABLES };

/* What is one key's alone, then what many have alike. */
enum key_text {
    KEY_TEXT_ID,
    KEY_TEXT_USER,
    KEY_TEXT_PERSON,
    KEY_OWN_TEXTS,
    KEY_TEXT_APP = KEY_OWN_TEXTS,
    KEY_TEXT_DEPARTMENT,
    KEY_TEXT_TEAM,
    KEY_TEXT_TIER,
    KEY_TEXT_REGION,
    KEY_TEXT_CLEARANCE,
    KEY_TEXT_ENV,
    KEY_TEXTS
};

enum { KEY_FLAG_REVOKED = 1, KEY_FLAG_ENDS_REQUESTS = 2 };

struct key_row {
    uint64_t expires_wall_ns, confirmed_wall_ns;
    uint8_t digest[KEY_DIGEST_BYTES];
    struct section_text texts[KEY_OWN_TEXTS];
    uint32_t profile, flags;
};

/* Once, however many keys have it: a worker checks 7 MB for 100,000 keys, and not 20. */
struct profile_row {
    struct section_text texts[KEY_TEXTS - KEY_OWN_TEXTS];
    struct section_list roles, approvals; /* of KEYRING_ITEMS */
    struct section_list labels;           /* of KEYRING_LABELS */
};

struct label_row {
    struct section_text name, value;
};

extern const struct section_shape keyring_shape;

/* The record's field for a text of its row. */
struct slice *key_record_text(struct key_record *key, enum key_text text);

#endif
