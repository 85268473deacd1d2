/*
 * What auth.lua says about credentials, as C needs it: in which headers they come, whose tokens count, what their
 * claims mean. Made by core/lua when a bundle is loaded, and never changed after that.
 *
 *     struct auth_rules *rules = auth_rules_new();
 *     … fill it from its arena …
 *     const struct issuer_rules *issuer = auth_rules_issuer(rules, SLICE("https://login.example.com"));
 *     auth_rules_free(rules);
 */
#ifndef MOONGATE_STORE_AUTH_RULES_H
#define MOONGATE_STORE_AUTH_RULES_H

#include "base/arena.h"
#include "wire/jwt.h"

/* This claim is that field of the identity. */
struct claim_rule {
    struct slice field, claim;
};

struct issuer_rules {
    struct jwt_rules token;
    struct slice url;  /* where its keys are; empty: they came with the bundle */
    struct jwks *keys; /* those; NULL when there is a url */
    struct claim_rule *claims;
    size_t claim_count;
};

struct auth_rules {
    struct arena arena;
    /* In order: the first of them that a request has is the one that is looked at. None:
     * keys or tokens are not taken. */
    struct slice *key_headers, *token_headers;
    size_t key_header_count, token_header_count;
    struct issuer_rules *issuers;
    size_t issuer_count;
    /* The apps that may call; has_apps false: nobody lists them, and any may. */
    struct slice *apps;
    size_t app_count;
    bool has_apps, has_default_app;
    uint64_t confirm_ns; /* a key counts so long after its owner's identity provider confirmed him; 0: for ever */
    bool refuses_strangers; /* without a good credential nobody comes in, whatever else the request has */
};

struct auth_rules *auth_rules_new(void);
void auth_rules_free(struct auth_rules *rules); /* NULL is welcome */
/* NULL: nobody whose tokens count. */
const struct issuer_rules *auth_rules_issuer(const struct auth_rules *rules, struct slice issuer);
bool auth_rules_knows_app(const struct auth_rules *rules, struct slice app);
/* The header holds credentials, by these rules or by what such headers are called everywhere. rules may be NULL. */
bool auth_rules_is_secret(const struct auth_rules *rules, struct slice header);

#endif
