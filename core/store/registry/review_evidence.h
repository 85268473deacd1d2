/*
 * What a completed access review leaves: one JSON document, which others check without this gateway.
 *
 *     {"evidence":{…},"sha256":"…","key":"…","public":"…","signature":"…"}
 *
 *     struct review_verified v;
 *     if (!review_evidence_verify(bytes, &trust, &v, &why)) …            // changed, or nobody's: *why says which
 *     review_evidence_csv(document, &out);                               // the same for spreadsheets, for people
 *
 * evidence: {"moongate_review":1, "review": {…campaign, "as_of"}, "before": [items as they were frozen, with the
 * answer: who, in which role, when, why], "after": [{"kind","object","state"}: what was there when it was completed],
 * "unanswered": [numbers], "delegations": […], "completed_at", "completed_by"}. sha256 is of its canonical form
 * (wire/canonical.h); signature: Ed25519 with the anchor's key (store/anchor/anchor.h) over "moongate review 1\n", the
 * review's id, "\n", the hash in hexadecimal digits, "\n". A name that stands twice is refused.
 */
#ifndef MOONGATE_STORE_REGISTRY_REVIEW_EVIDENCE_H
#define MOONGATE_STORE_REGISTRY_REVIEW_EVIDENCE_H

#include "store/anchor/anchor.h"
#include "store/registry/reviews.h"

/* For registry_review_complete(): arg is the struct anchor_key. */
bool review_evidence_sign(void *arg, struct slice review, struct slice sha256, struct json_t *document,
                          struct fault *why);

/* Inside the transaction that completes it. NULL and *why; free it with mem_free. */
char *review_evidence_make(struct registry *r, struct slice id, const struct json_t *items, struct slice person,
                           review_sign sign, void *arg, struct fault *why);
/* {"kind", "object", "state"} as it is now, "revoked_at", "ends_at"; of a row what its item says. NULL: *why. */
struct json_t *review_state_now(struct registry *r, const struct json_t *item, struct fault *why);

struct review_verified {
    char review[REVIEW_ID_BYTES];
    char sha256[65], key[ANCHOR_FINGERPRINT_BYTES];
    int64_t items, completed_at;
};

/* trust NULL: the signature is checked with the key that the document names, which says nothing of whose it is. */
bool review_evidence_verify(struct slice document, const struct anchor_trust *trust, struct review_verified *v,
                            struct fault *why);
/* The document's evidence in other shapes. RFC 4180, with a header row; cells that a spreadsheet would take for a
 * formula have a ' before them. */
void review_evidence_csv(const struct json_t *document, struct buf *out);
void review_evidence_markdown(const struct json_t *document, struct buf *out);

#endif
