/* What governance's rules ask of a prompt, on top of what the tables refuse: whose eyes, on which labels, and tests.
 * Where no rules are known an approver's eyes are enough, and production is what is protected. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "store/registry/people.h"
#include "store/registry/prompts_inner.h"

#define TESTS_COUNT_S (7 * 86400)

bool prompts_is_protected(const struct registry *r, struct slice label)
{
    return r->governance ? governance_is_protected(r->governance, label) : slice_equal(label, SLICE("production"));
}

bool prompts_lines(struct registry *r, struct slice name, struct prompts_lines *lines, struct fault *why)
{
    struct buf department;
    buf_init(&department);
    bool is_good = prompts_department(r, name, &department, why) == REGISTRY_FOUND;
    lines->count = is_good && r->governance ? governance_reviewers(r->governance, buf_slice(&department), lines->roles,
                                                                   GOVERNANCE_REVIEWERS_MAX)
                                            : 0;
    if (!lines->count) lines->roles[lines->count++] = SLICE("approver");
    buf_clear(&department);
    return is_good;
}

bool prompts_may_move(struct registry *r, struct slice name, struct slice person, struct fault *why)
{
    struct prompts_lines lines;
    return prompts_lines(r, name, &lines, why) && prompts_may(r, name, person, lines.roles[0], why);
}

/* ---- Lines that are met. */

static bool count_approvals(struct registry *r, const struct prompt_at *at, struct slice sha256, struct slice role,
                            size_t *count, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT count(DISTINCT x.who) FROM prompt_review v JOIN identity x ON x.id = v.person"
                     " WHERE name = ? AND major = ? AND minor = ? AND patch = ? AND sha256 = ? AND role = ?"
                     " AND verdict = 'approve' AND NOT EXISTS(SELECT 1 FROM prompt_author a JOIN identity y"
                     " ON y.id = a.person WHERE a.name = v.name AND a.major = v.major AND a.minor = v.minor"
                     " AND a.patch = v.patch AND y.who = x.who)",
                     VALUES_AT(at), value_text(sha256), value_text(role));
    *count = registry_next(q) ? (size_t)registry_int(q, 0) : 0;
    return registry_end(q, why);
}

/* Of whoever wrote at it since nothing counts. A role that stands in several lines is met by as many people. */
static bool is_met(struct registry *r, const struct prompt_at *at, struct slice sha256,
                   const struct prompts_lines *lines, size_t line, bool *met, struct fault *why)
{
    size_t wanted = 0, count = 0;
    for (size_t i = 0; i <= line; i++)
        wanted += slice_equal(lines->roles[i], lines->roles[line]);
    if (!count_approvals(r, at, sha256, lines->roles[line], &count, why)) return false;
    *met = count >= wanted;
    return true;
}

bool prompts_open_line(struct registry *r, const struct prompt_at *at, struct slice sha256,
                       const struct prompts_lines *lines, struct slice *role, struct fault *why)
{
    *role = SLICE("");
    for (size_t i = 0; i < lines->count && !role->len; i++) {
        bool met = false;
        if (!is_met(r, at, sha256, lines, i, &met, why)) return false;
        if (!met) *role = lines->roles[i];
    }
    return true;
}

static bool holds(struct registry *r, const struct prompt_at *at, struct slice role, bool *is_held, struct fault *why)
{
    struct buf department;
    buf_init(&department);
    bool is_good =
        prompts_department(r, at->name, &department, why) == REGISTRY_FOUND &&
        registry_role_is_held(r, at->person, role, buf_slice(&department), registry_now_s(), is_held, why);
    buf_clear(&department);
    return is_good;
}

bool prompts_choose_line(struct registry *r, const struct prompt_at *at, struct slice sha256, bool is_approval,
                         const struct prompts_lines *lines, struct slice *role, struct fault *why)
{
    struct slice first = SLICE("");
    *role = SLICE("");
    for (size_t i = 0; i < lines->count && !role->len; i++) {
        bool met = false, is_held = false;
        if (is_approval && !is_met(r, at, sha256, lines, i, &met, why)) return false;
        if (met) continue;
        if (!first.len) first = lines->roles[i];
        if (!holds(r, at, lines->roles[i], &is_held, why)) return false;
        if (is_held) *role = lines->roles[i];
    }
    if (!role->len) *role = first.len ? first : lines->roles[0];
    return true;
}

bool prompts_is_line(const struct prompts_lines *lines, struct slice role)
{
    for (size_t i = 0; i < lines->count; i++)
        if (slice_equal(lines->roles[i], role)) return true;
    return false;
}

/* Also where he was merged into whom did. */
bool prompts_has_approved(struct registry *r, const struct prompt_at *at, struct slice sha256, bool *has,
                          struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT 1 FROM prompt_review v JOIN identity x ON x.id = v.person JOIN identity y ON y.who = x.who"
                     " WHERE name = ? AND major = ? AND minor = ? AND patch = ? AND sha256 = ? AND verdict = 'approve'"
                     " AND y.id = ?",
                     VALUES_AT(at), value_text(sha256), value_text(at->person));
    *has = registry_next(q);
    return registry_end(q, why);
}

/* ---- Tests. */

static bool has_cases(struct registry *r, const struct prompt_at *at, bool *has, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT body FROM prompt_version WHERE " AT_VERSION, VALUES_AT(at));
    json_t *body = registry_next(q) ? json_loadb(registry_text(q, 0).ptr, registry_text(q, 0).len, 0, NULL) : NULL;
    *has = json_array_size(json_object_get(body, "cases")) > 0;
    json_decref(body);
    return registry_end(q, why);
}

/* All of them, on this very text, not long ago. */
static bool has_passed(struct registry *r, struct slice name, struct slice sha256, bool *has, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT failed FROM prompt_run WHERE name = ? AND sha256 = ? AND at >= ?"
                                            " AND passed > 0 ORDER BY at DESC, rev DESC LIMIT 1",
                                            value_text(name), value_text(sha256),
                                            value_int(registry_now_s() - TESTS_COUNT_S));
    *has = registry_next(q) && registry_int(q, 0) == 0;
    return registry_end(q, why);
}

bool prompts_is_tested(struct registry *r, const struct prompt_at *at, struct slice sha256, struct fault *why)
{
    bool has = false;
    if (!r->governance || !r->governance->wants_tests) return true;
    if (!has_cases(r, at, &has, why)) return false;
    if (!has) return true;
    if (!has_passed(r, at->name, sha256, &has, why)) return false;
    return has || registry_refuse_as(r, REGISTRY_NOT_TESTED, why);
}
