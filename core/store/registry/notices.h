/*
 * Who is told of what becomes of approvals, break-glass, prompts and reviews: a row made in the transaction of each
 * such change, which goes out to every sink of moongate.lua (server/admin_notices.h).
 *
 *     registry_notices_share(r, names, count, now_s, &why);            // what is new becomes a row for each sink
 *     json_t *body = registry_notice_claim(r, sink, now_s, &item, &why);  // the oldest due; NULL: none
 *     registry_notice_taken(r, &item, now_s, &why);
 *     registry_notice_failed(r, &item, now_s, &is_given_up, &why);     // later again; after NOTICE_TRIES never
 *
 * At least once: who dies between sending and saying so sends it again, under the same id. Of a fleet's gateways that
 * which claims a row sends it; a claim ends by itself after NOTICE_CLAIM_S. Rows go NOTICE_KEPT_S after they are done.
 * The eight tries fall within 24 hours. Without sinks nothing waits: what is new is done at once.
 *
 *     {"id": "chg_…", "at", "action", "object", "actor", "reason", "after", "to": [{"person", "name", "email", "as"}]}
 *
 * as: "requester", "approver", "owner". Nobody decides by a link: what is sent names the object, no secret is in it.
 */
#ifndef MOONGATE_STORE_REGISTRY_NOTICES_H
#define MOONGATE_STORE_REGISTRY_NOTICES_H

#include "store/registry/registry.h"

#define NOTICE_TRIES 8
#define NOTICE_CLAIM_S 60
#define NOTICE_KEPT_S (30 * 86400)
#define NOTICE_ID_BYTES 192 /* the change's id, a dot, the sink's name, the NUL */

struct notice_item {
    char id[NOTICE_ID_BYTES];
    int64_t tries; /* that failed */
};

bool registry_notices_share(struct registry *r, const struct slice *sinks, size_t count, int64_t now_s,
                            struct fault *why);
struct json_t *registry_notice_claim(struct registry *r, struct slice sink, int64_t now_s, struct notice_item *item,
                                     struct fault *why);
bool registry_notice_taken(struct registry *r, const struct notice_item *item, int64_t now_s, struct fault *why);
bool registry_notice_failed(struct registry *r, const struct notice_item *item, int64_t now_s, bool *is_given_up,
                            struct fault *why);

#endif
