/*
 * Access reviews: campaigns that ask, item by item, whether what somebody may use is still wanted.
 *
 *     struct review_spec spec = {.plan = SLICE("quarterly"), .by = SLICE("approver"), .scope = REVIEW_KEYS,
 *                                .due_s = 14 * 86400, .unused_s = 90 * 86400, .unanswered = SLICE("flag"), …};
 *     if (!registry_review_open(r, &spec, &by, &made, &why)) …              // REGISTRY_EXISTS: one of that plan runs
 *     struct review_answer answer = {.review = id, .person = kim, .items = n, .count = 3, .decision = SLICE("revoke")};
 *     found = registry_review_decide(r, &answer, &by, &decided, &why);      // all of them, or none
 *     found = registry_review_complete(r, id, kim, sign, arg, &by, &why);   // its evidence
 *
 *     campaign   open → overdue → complete          item   undecided → keep | revoke | reduce
 *     row        open → patched → in_force: what stands in a policy file goes when a loaded bundle says so
 *
 * Items are frozen when it is opened, with what was known of each and what is recommended. An item waits for whoever
 * holds the plan's role where it covers the item's department, or for whom such a one let decide in his place; nobody
 * answers for what is his own, by himself or by a delegate. What is answered stays: when a campaign is due, or closed,
 * only what nobody answered is touched. What `revoke` and `reduce` mean for a grant, a key or a role is done in the
 * same change; for a row of a policy it is done by who merges the patch.
 * Instants are seconds since 1970 (UTC), spans seconds. REGISTRY_FAILED with registry_refused(r) is a refusal, without
 * it a fault. Bounds: LIMIT_REVIEW_ITEMS items a campaign.
 */
#ifndef MOONGATE_STORE_REGISTRY_REVIEWS_H
#define MOONGATE_STORE_REGISTRY_REVIEWS_H

#include "base/limits.h"
#include "store/registry/people.h"

#define REVIEW_ID_BYTES 17          /* "rvw_", 12 characters of base 62, the NUL */
#define REVIEW_REDUCED_S 31536000   /* a key that never ends does a year from now, where nothing else is said */
#define REVIEW_EVERYBODY "*"        /* the department of a row that is for any */

enum review_kinds { REVIEW_ROWS = 1, REVIEW_GRANTS = 2, REVIEW_KEYS = 4, REVIEW_ROLES = 8 };

/* ---- Opening. */

struct review_spec {
    struct slice plan, by; /* by: the role of who answers */
    unsigned scope;        /* bits of enum review_kinds */
    int64_t due_s, unused_s;
    struct slice unanswered; /* "flag", "revoke", "recommendation" */
    struct slice person;     /* who opens it */
    struct slice bundle;     /* digest of the policies that rows are of */
    /* What the policies allow: [{"department", "model", "file", "line", "data", …facts}], borrowed; NULL: no rows. */
    const struct json_t *rows;
    /* What was used, {"since_at", "seq", "keys": {id: {"requests", "last_at", "data"}}, "grants": {id: …}}, borrowed;
     * NULL: it is not known, and nothing counts as unused. */
    const struct json_t *usage;
};

struct review_made {
    char id[REVIEW_ID_BYTES];
    int64_t items, due_at;
};

bool registry_review_open(struct registry *r, const struct review_spec *spec, const struct change_by *by,
                          struct review_made *made, struct fault *why);

/* ---- Looking. */

/* One, or all (id empty), newest first: "id", "plan", "scope": ["rows", …], "by", "opened_at", "due_at", "unanswered",
 * "state" ("open", "overdue", "complete"), "items", "decided", "pending_rows" (answered, and not in force), "as_of":
 * {"epoch", "revision", "bundle", "ledger_seq", …}, "rev". */
struct json_t *registry_reviews(struct registry *r, struct slice id, int64_t now_s, struct fault *why);
/* In their order: "n", "kind", "object", "subject", "department", "role", "facts", "recommend", "why", "decision",
 * "note", "decided_by", "decided_at", "effect", "rev"; person (may be empty): each with whether it "waits_for_me". */
struct json_t *registry_review_items(struct registry *r, struct slice id, struct slice person, int64_t now_s,
                                     struct fault *why);
/* "person", "delegate", "at", "ends_at", "reason". */
struct json_t *registry_review_delegations(struct registry *r, struct slice id, struct fault *why);
/* How many items of all that are not complete wait for him. */
bool registry_reviews_waiting(struct registry *r, struct slice person, int64_t now_s, int64_t *count,
                              struct fault *why);

/* ---- Answering. */

struct review_answer {
    struct slice review, person;
    const int64_t *items; /* numbers */
    size_t count;
    struct slice decision; /* "keep", "revoke", "reduce" */
    struct slice note;     /* needed to keep what is recommended to go */
    int64_t ends_at;       /* reduce: of a grant, a key, a role; 0: not said */
    struct slice scope;    /* reduce: of a role that is held for all */
    const struct slice *departments; /* reduce: of a row that is for any: those that stay */
    size_t department_count;
};

/* REGISTRY_SELF_APPROVAL, _NOT_YOUR_SCOPE, _NOT_HUMAN, _NOT_PENDING, _NOTE_NEEDED, _INVALID, _UNKNOWN (an item). The
 * item that was refused is named in *why. */
enum registry_found registry_review_decide(struct registry *r, const struct review_answer *answer,
                                           const struct change_by *by, struct fault *why);

struct review_delegation {
    struct slice review, person, delegate, reason;
    int64_t ends_at; /* after now, within a year */
};

/* Only who holds the role may; again with another end: that one counts. */
enum registry_found registry_review_delegate(struct registry *r, const struct review_delegation *d,
                                             const struct change_by *by, struct fault *why);

/* ---- Rows of policies. */

/* A patch was made of these items, which were decided so. */
enum registry_found registry_review_patched(struct registry *r, struct slice id, const int64_t *items, size_t count,
                                            const struct change_by *by, struct fault *why);
/* By policies that a gateway has loaded: what they allow, as review_spec.rows has it. Rows that they allow no more are
 * in force from now on: *count. Nothing is changed where there is none. */
enum registry_found registry_review_in_force(struct registry *r, struct slice id, const struct json_t *rows,
                                             struct slice bundle, const struct change_by *by, int64_t *count,
                                             struct fault *why);

/* ---- The end. */

/* Of all that are due by then, each once: what nobody answered, as the plan says. *count: how many campaigns. */
bool registry_reviews_due(struct registry *r, int64_t now_s, const struct change_by *by, unsigned *count,
                          struct fault *why);

/* Signs the hash of the evidence: sets "key", "public" and "signature" of the document. False and *why. */
typedef bool (*review_sign)(void *arg, struct slice review, struct slice sha256, struct json_t *document,
                            struct fault *why);

/* REGISTRY_UNANSWERED: it is not due; REGISTRY_NOT_IN_FORCE: a row that was to go is allowed still. */
enum registry_found registry_review_complete(struct registry *r, struct slice id, struct slice person,
                                             review_sign sign, void *arg, const struct change_by *by,
                                             struct fault *why);
/* The JSON document (store/registry/review_evidence.h), appended. REGISTRY_MISSING also where it is not complete. */
enum registry_found registry_review_evidence(struct registry *r, struct slice id, struct buf *out, struct fault *why);

#endif
