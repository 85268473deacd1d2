/*
 * Access that somebody else must agree to: requests, decisions on them, the grants that come of it, and break-glass.
 *
 *     struct access_spec spec = {.subject_kind = SLICE("user"), .subject = ana, .object = SLICE("dear-1"),
 *                                .purpose = SLICE("tender: the new town hall"), .seconds = 7 * 86400,
 *                                .requested_by = ana, .department = SLICE("research"), .rule = {SLICE("manager")}};
 *     if (!registry_access_request(r, &spec, &by, &made, &why)) …       // REGISTRY_EXISTS: one is pending
 *     struct access_verdict verdict = {.request = id, .person = kim, .is_approval = true};
 *     found = registry_access_decide(r, &verdict, &by, &decided, &why); // REGISTRY_SELF_APPROVAL, _NOT_YOUR_SCOPE …
 *
 *     request      pending → approved | denied | withdrawn | expired      grant   active → ended | revoked | shortened
 *     break-glass  active → ended → closed by a second person, until which the same person gets no other
 *
 * A grant begins at the decision that completes it and lasts what was asked for, or less; it may be shortened, never
 * lengthened. Each line of a rule, `by` and `also`, is met by another person who has that role where it covers the
 * department; nobody decides on what he asked for or would get, whatever keys he has and into whom he was merged. The
 * same stands in the database, below this.
 * Where rules of governance are known (registry_govern) they take the place of what the caller says of roles and times:
 * those in force when it is asked for, and again when it is decided.
 * Instants are seconds since 1970, spans seconds. A person is his id. Ids that come back are written into the caller's
 * room. Each change is one event. REGISTRY_FAILED with registry_refused(r) is a refusal, without it a fault.
 */
#ifndef MOONGATE_STORE_REGISTRY_APPROVALS_H
#define MOONGATE_STORE_REGISTRY_APPROVALS_H

#include "base/limits.h"
#include "store/registry/people.h"

#define ACCESS_ID_BYTES 17 /* "apr_" or "gnt_", 12 characters of base 62, the NUL */
#define ACCESS_PURPOSE_MIN 8u
#define BREAK_GLASS_S 3600

/* Who must agree: roles. */
struct access_rule {
    struct slice by, also; /* also: a second person's; empty: one is enough */
};

struct access_spec {
    struct slice subject_kind; /* "user", "app", "department" */
    struct slice subject;      /* a person, or a name */
    struct slice object;       /* a model, by its own name */
    struct slice purpose;      /* ACCESS_PURPOSE_MIN to LIMIT_REASON_BYTES, one visible line */
    int64_t seconds;           /* how long the grant is to last; 60 or more */
    int64_t pending_s;         /* how long the request waits for a decision */
    struct slice requested_by; /* a person */
    struct slice department;   /* of the subject: where the roles must cover it */
    struct access_rule rule;
};

struct access_made {
    char id[ACCESS_ID_BYTES];
    int64_t expires_at;
    int64_t deciders; /* people who could decide by the first line; 0: nobody can, as things are … */
    char lacking[LIMIT_KEY_FIELD_BYTES + 1]; /* … for want of another person with this role */
};

bool registry_access_request(struct registry *r, const struct access_spec *spec, const struct change_by *by,
                             struct access_made *made, struct fault *why);

struct access_verdict {
    struct slice request, person;
    bool is_approval;
    struct slice comment;           /* may be empty */
    const struct access_rule *rule; /* that is in force now; NULL: as it was asked for */
    int64_t longest_s;              /* the grant's bound by that rule; 0: what was asked for */
    int64_t if_rev;                 /* of the request, as it was seen; 0: as it may be */
};

struct access_decided {
    bool is_granted, is_denied;  /* neither: another person must agree too … */
    char missing[LIMIT_KEY_FIELD_BYTES + 1]; /* … of this role */
    char grant[ACCESS_ID_BYTES];
    int64_t ends_at;
};

enum registry_found registry_access_decide(struct registry *r, const struct access_verdict *verdict,
                                           const struct change_by *by, struct access_decided *decided,
                                           struct fault *why);
/* By who asked for it alone: REGISTRY_NOT_YOURS. */
enum registry_found registry_access_withdraw(struct registry *r, struct slice id, struct slice person,
                                             const struct change_by *by, struct fault *why);
/* Those whose time to be decided is over are that from now on; without it they count so in lists and decisions. */
bool registry_access_expire(struct registry *r, int64_t now_s, const struct change_by *by, unsigned *count,
                            struct fault *why);
/* One, or all (id empty), newest first, at most LIMIT_ACCESS_LISTED, as objects: "id", "kind", "subject_kind",
 * "subject", "object", "purpose", "seconds", "requested_by", "requested_at", "expires_at", "state", "by", "also",
 * "department", "rev", "grant" (its id) and "decisions": [{"person", "role", "verdict", "comment"}]. */
struct json_t *registry_access_requests(struct registry *r, struct slice id, int64_t now_s, struct fault *why);

/* ---- Grants. */

struct glass_spec {
    struct slice subject_kind, subject, object, reason; /* as struct access_spec has them */
    int64_t seconds;                                    /* 1 … BREAK_GLASS_S */
    struct slice person;                                /* who takes it */
    struct slice role, department;                      /* which he must have, and where */
};

struct glass_made {
    char id[ACCESS_ID_BYTES];
    int64_t ends_at;
};

/* REGISTRY_UNCLOSED: one that he took before is not closed. */
bool registry_break_glass(struct registry *r, const struct glass_spec *spec, const struct change_by *by,
                          struct glass_made *made, struct fault *why);
/* By a second person who has the role; what still runs ends with it. */
enum registry_found registry_break_glass_close(struct registry *r, struct slice id, struct slice person,
                                               struct slice role, struct slice department, const struct change_by *by,
                                               struct fault *why);
/* person: who does it, for the event and `revoked_by`. Doing it twice changes nothing. */
enum registry_found registry_grant_revoke(struct registry *r, struct slice id, struct slice person, int64_t if_rev,
                                          const struct change_by *by, struct fault *why);
/* ends_at: after now and before its end; else REGISTRY_INVALID. */
enum registry_found registry_grant_shorten(struct registry *r, struct slice id, int64_t ends_at, int64_t if_rev,
                                           const struct change_by *by, struct fault *why);
/* One, or all (id empty), newest first, at most LIMIT_ACCESS_LISTED, as objects: "id", "request", "subject_kind",
 * "subject", "object", "starts_at", "ends_at", "granted_by", "break_glass", "reason", "closed_by", "revoked_at" (0),
 * "revoked_by", "rev", "state" ("active", "ended", "revoked"). */
struct json_t *registry_grants(struct registry *r, struct slice id, int64_t now_s, struct fault *why);
/* The models that live keys are approved for by themselves, from before there were grants: "key", "model", "owner". */
struct json_t *registry_grants_imported(struct registry *r, int64_t now_s, struct fault *why);

#endif
