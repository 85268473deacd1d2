/*
 * Decisions of records taken again with some bundle, and compared with what was decided then.
 *
 *     struct replay *r = replay_new(set, settings);
 *     enum replay_outcome outcome = replay_run(r, record, &report);       // once a record, in any order
 *     ... report.differences, report.missing ...                         // valid until the next one
 *     replay_free(r);
 *
 * Compared are verdict, status, code, reason, policy and rule, targets in their order, model, identity, data class,
 * edits, warnings, annotations and the trace, entry by entry; where a rule stands in its file counts only for the same
 * bundle, how long something took never. Nothing is called, counted or kept (lua/again.h).
 */
#ifndef MOONGATE_FLOW_REPLAY_H
#define MOONGATE_FLOW_REPLAY_H

#include "base/buf.h"
#include "base/fault.h"
#include "lua/policy.h"

enum replay_outcome {
    REPLAY_SAME,
    REPLAY_DENIED,   /* was let through */
    REPLAY_ALLOWED,  /* was denied, or a policy failed */
    REPLAY_REROUTED, /* to other targets, or in another order */
    REPLAY_CHANGED,  /* otherwise */
    REPLAY_UNKNOWN,  /* policies read what the record does not keep */
    REPLAY_NONE,     /* no policy decided it, or its record is of a version that kept no facts */
};
#define REPLAY_OUTCOMES (REPLAY_NONE + 1)

/* All borrowed until the next run. */
struct replay_report {
    struct slice differences; /* [{"what","was","is"},…] */
    struct slice missing;     /* REPLAY_UNKNOWN: ["request.last_user_text",…] */
    struct slice decision;    /* what is decided now, as record_format_decision() says it */
    const char *reason;       /* REPLAY_NONE: why */
    enum replay_outcome would_be; /* REPLAY_UNKNOWN: what it came to with nothing where something is missing */
    bool is_same_bundle;
    bool has_cost;            /* of both: what was paid, and what the same tokens come to now */
    int64_t cost_was, cost_is;
};

struct replay;

/* Holds the set; settings may be NULL, and are borrowed. */
struct replay *replay_new(struct policy_set *set, const struct settings *settings);
void replay_free(struct replay *r); /* NULL is welcome */
enum replay_outcome replay_run(struct replay *r, struct slice record, struct replay_report *report);
const char *replay_outcome_name(enum replay_outcome outcome); /* "same", "denied", … */

#endif
