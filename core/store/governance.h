/*
 * The rules of governance in plain values: who must look before something counts. What policies/governance.lua says,
 * and the rows of the access matrix that want an approval, for who keeps the registry; they decide no request here.
 *
 *     struct governance *rules = governance_read(policy_set_governance(set), &why);   // in any process, of any copy
 *     n = governance_reviewers(rules, department, roles, GOVERNANCE_REVIEWERS_MAX);   // each met by another person
 *     const struct governance_row *row = governance_row(rules, model, department);    // NULL: nobody need approve
 *     governance_free(rules);
 *
 * The text is JSON that the loading made (scripts/governing.lua), small and complete: where the file, or a field of it,
 * is not there, the usual is written out. So the checker can hand it to other processes, and none of them loads
 * policies to know who decides. Spans are whole seconds from 1 on. Slices live as long as the rules.
 * Bounds: those of a policy file; LIMIT_GOVERNANCE_BYTES of text.
 */
#ifndef MOONGATE_STORE_GOVERNANCE_H
#define MOONGATE_STORE_GOVERNANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/slice.h"

#define GOVERNANCE_REVIEWERS_MAX 64

/* A line of prompts.review: a role, for prompts of these departments, or of all. */
struct governance_reviewer {
    struct slice by;
    struct slice *departments;
    size_t department_count; /* 0: all */
};

enum governance_every { EVERY_MONTH, EVERY_QUARTER, EVERY_HALF_YEAR, EVERY_YEAR };
enum governance_unanswered { UNANSWERED_FLAG, UNANSWERED_REVOKE, UNANSWERED_RECOMMENDATION };
enum governance_scope { SCOPE_ROWS = 1, SCOPE_GRANTS = 2, SCOPE_KEYS = 4, SCOPE_ROLES = 8 };

struct governance_plan {
    struct slice name, by;
    enum governance_every every;
    unsigned scope; /* bits of enum governance_scope */
    int64_t due_s, unused_s;
    enum governance_unanswered unanswered;
};

enum governance_covers { COVERS_USER, COVERS_APP, COVERS_DEPARTMENT };

/* A row of the matrix that wants an approval, and is at work. */
struct governance_row {
    struct slice model, by;
    struct slice also; /* a second person of that role; empty: one is enough */
    struct slice data; /* the highest class that the model may see */
    struct slice file; /* "policies/access.lua" … */
    int line;          /* … and where it stands there */
    int64_t longest_s;
    enum governance_covers covers;
    struct slice *purposes; /* one of these words must be the purpose's first */
    size_t purpose_count;   /* 0: any */
    struct slice *departments;
    size_t department_count; /* 0: any */
};

struct governance {
    struct arena arena;
    struct slice digest; /* of the bundle: what events name as the rules they were judged by */

    struct governance_reviewer *reviewers;
    size_t reviewer_count;
    struct slice *protected_labels; /* that take approved versions only; "production" is always the first */
    size_t protected_count;
    bool wants_tests; /* all cases of a version passed on its very text */

    int64_t pending_s, longest_s; /* of a request, of a grant */
    bool has_break_glass;
    struct slice glass_by;
    int64_t glass_longest_s, glass_close_within_s; /* the first is 3600 at most */

    struct governance_plan *plans;
    size_t plan_count;
    struct slice *required; /* facts of the checklist */
    size_t required_count;
    int64_t audit_retention_s; /* 0: not said */

    struct governance_row *rows; /* by model */
    size_t row_count;
};

/* NULL: *why; it is no text that the loading made. */
struct governance *governance_read(struct slice text, struct fault *why);
void governance_free(struct governance *rules); /* NULL is welcome */

/* The roles that must look at a prompt of that department, borrowed; at most `most`. Returns their number. */
size_t governance_reviewers(const struct governance *rules, struct slice department, struct slice *roles, size_t most);
bool governance_is_protected(const struct governance *rules, struct slice label);
/* The row that a caller of that department meets when asking for the model, by its own name. NULL: there is none that
 * wants an approval, or another column keeps that department away. */
const struct governance_row *governance_row(const struct governance *rules, struct slice model,
                                            struct slice department);

#endif
