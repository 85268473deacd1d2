/*
 * What the files of access reviews share; nobody else includes it.
 *
 *     reviews.c          opening, looking; review_items.c: what is asked, and what is recommended
 *     review_eyes.c      who may answer; review_answers.c: answers; review_effects.c: what they do
 *     review_ends.c      what is due, what is complete; review_evidence.c: the document, review_report.c: for people;
 *                        review_check.c: is it true still?
 */
#ifndef MOONGATE_STORE_REGISTRY_REVIEWS_INNER_H
#define MOONGATE_STORE_REGISTRY_REVIEWS_INNER_H

#include <jansson.h>

#include "store/registry/registry_inner.h"
#include "store/registry/reviews.h"

static inline const char *review_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static inline int64_t review_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* ---- Items. */

/* What a campaign is made of, inside the transaction that opens it. */
struct review_making {
    struct registry *r;
    const struct review_spec *spec;
    const char *id;
    int64_t now_s, since_s; /* since_s: what was used before that is not used */
    int64_t last_s;         /* when the one before was opened: grants that have ended since are asked about, too */
    int64_t n;
    struct fault *why;
};

struct review_item {
    const char *kind, *recommend, *reason; /* recommend: "" or what is proposed, reason: why */
    struct slice object, subject, department;
    json_t *facts; /* taken */
};

bool review_add_rows(struct review_making *m);
bool review_add_grants(struct review_making *m);
bool review_add_keys(struct review_making *m);
bool review_add_roles(struct review_making *m);
bool review_put(struct review_making *m, const struct review_item *item);
/* Of a key or a grant, borrowed; NULL: nothing is known of its use. */
const json_t *review_usage(const struct review_making *m, const char *kind, const char *id);
/* True where use is known and was last before the plan's span, or never; what is younger than that is not unused. */
bool review_is_unused(const struct review_making *m, const json_t *usage, int64_t made_at);

/* ---- A campaign, inside the transaction that changes it. */

struct review_old {
    json_t *as_of; /* owned */
    char state[12], unanswered[16];
    int64_t due_at, rev;
};

enum registry_found review_read(struct registry *r, struct slice id, struct review_old *old, struct fault *why);
void review_forget(struct review_old *old);
/* All items, as registry_review_items() gives them; without a transaction of its own. */
json_t *review_read_items(struct registry *r, struct slice id, struct fault *why);

/* ---- Who may answer. */

/* What somebody holds, by himself or for others: [{"role", "scope", "whose"}]; NULL and *why. */
json_t *review_eyes(struct registry *r, struct slice review, struct slice person, int64_t now_s,
                    char who[PERSON_ID_BYTES], struct fault *why);
/* The id of whose role lets him answer: his own, or that of who let him; NULL: nobody's does. Borrowed. */
const char *review_may(const json_t *eyes, const char *who, const json_t *item);

/* ---- What an answer does. */

/* Writes the answer and carries it out; `effects` gets {"n", "kind", "object", "decision", …} of what was changed.
 * person empty: nobody answered. */
bool review_answer_one(struct registry *r, const json_t *item, const struct review_answer *answer, const char *whose,
                       json_t *effects, struct fault *why);

#endif
