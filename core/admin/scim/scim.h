/*
 * SCIM 2.0 (RFC 7643, 7644) at /scim/v2 of the admin listener: an identity provider keeps people up to date. Users, and
 * what ServiceProviderConfig says of it; a call is given whole and answered whole.
 *
 *     struct scim_ask ask = {.method = …, .path = SLICE("/Users/per_…"), .query = …, .key = &key};
 *     struct scim_answer answer;
 *     scim_run(registry, &ask, body, &arena, &answer);
 *
 * externalId is what tokens call the person ("sub", or Entra's object id): it is needed, and never changes. Of the rest
 * userName, displayName, name, emails, active and the enterprise extension's department are kept; a whole User may have
 * more, a PATCH none of whose attributes is kept is refused (400), as is what has no meaning: nothing without effect is
 * told to have one. As providers send it, "active" may be the text "False", "op" be "Replace", and a PATCH be without
 * "path". DELETE disables. Filters: userName eq, externalId eq.
 */
#ifndef MOONGATE_ADMIN_SCIM_SCIM_H
#define MOONGATE_ADMIN_SCIM_SCIM_H

#include "base/arena.h"
#include "base/slice.h"
#include "store/registry/provided.h"

#define SCIM_BASE "/scim/v2"
#define SCIM_PAGE_MAX 500

struct scim_ask {
    struct slice method, path /* behind SCIM_BASE */, query;
    const struct scim_key *key;
};

struct scim_answer {
    int status;
    struct json_t *body; /* the caller's; NULL: none */
    bool has_changed;
};

/* registry NULL: it cannot be opened now. */
void scim_run(struct registry *registry, const struct scim_ask *ask, struct slice body, struct arena *arena,
              struct scim_answer *answer);
#endif
