#include "store/registry/prompts_inner.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *describe(const struct prompt_at *at, const char *status, const char *sha256)
{
    char version[SEMVER_BYTES];
    semver_write(at->version, version);
    return json_pack("{s:s, s:s, s:s}", "version", version, "status", status, "sha256", sha256);
}

static enum registry_found move(struct registry *r, const struct prompt_at *at, const char *from, const char *to,
                                const char *action, const struct change_by *by, struct fault *why)
{
    struct prompt_state state;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = prompts_state(r, at, &state, why);
    bool is_there = found == REGISTRY_FOUND && strcmp(state.status, from) == 0;
    if (found == REGISTRY_FOUND && !is_there) {
        registry_refuse_as(r, REGISTRY_ILLEGAL_MOVE, why);
        fault_set(why, FAULT_INTERNAL, "it is %s, and only a version in state %s can go there", state.status, from);
    }
    bool is_good = is_there && prompts_set_status(r, at, to, why) &&
                   registry_commit(r, by, action, at->name, describe(at, state.status, state.sha256),
                                   describe(at, to, state.sha256), why);
    return registry_end_change(r, found, is_good);
}

enum registry_found registry_prompt_submit(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                           struct fault *why)
{
    return move(r, at, "draft", "review", "prompts.submit", by, why);
}

enum registry_found registry_prompt_withdraw(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                             struct fault *why)
{
    return move(r, at, "review", "draft", "prompts.withdraw", by, why);
}

/* ---- Verdicts. */

struct judging {
    struct registry *r;
    const struct prompt_verdict *v;
    const char *verdict, *status, *action;
    struct prompt_state state;
    struct fault *why;
    struct prompts_lines lines;
    struct slice role; /* as which he judges */
    struct slice open; /* that somebody else must meet before it is approved */
};

static bool is_approval(const struct judging *j)
{
    return strcmp(j->status, "approved") == 0;
}

static bool choose_role(struct judging *j)
{
    const struct prompt_verdict *v = j->v;
    bool has_approved = false;
    struct slice sha256 = slice_str(j->state.sha256);
    if (!prompts_lines(j->r, v->at.name, &j->lines, j->why)) return false;
    if (!prompts_has_approved(j->r, &v->at, sha256, &has_approved, j->why)) return false;
    if (has_approved) return registry_refuse_as(j->r, REGISTRY_EXISTS, j->why);
    j->role = v->role;
    if (!v->role.len)
        return prompts_choose_line(j->r, &v->at, sha256, is_approval(j), &j->lines, &j->role, j->why);
    return prompts_is_line(&j->lines, v->role) || registry_refuse_as(j->r, REGISTRY_NOT_YOUR_SCOPE, j->why);
}

static bool add_verdict(struct judging *j)
{
    const struct prompt_verdict *v = j->v;
    struct slice sha256 = v->sha256.len ? v->sha256 : slice_str(j->state.sha256);
    return REGISTRY_DO(j->r, j->why,
                       "INSERT INTO prompt_review(name, major, minor, patch, sha256, person, role, verdict, comment,"
                       " rev) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       VALUES_AT(&v->at), value_text(sha256), value_text(v->at.person), value_text(j->role),
                       value_str(j->verdict), value_text_or_null(v->comment), value_rev(j->r));
}

/* Once nobody is missing: are its tests passed? */
static bool is_complete(struct judging *j)
{
    struct slice sha256 = slice_str(j->state.sha256);
    j->open = SLICE("");
    if (!is_approval(j)) return true;
    if (!prompts_open_line(j->r, &j->v->at, sha256, &j->lines, &j->open, j->why)) return false;
    if (j->v->judged) {
        struct prompt_judged *judged = j->v->judged;
        snprintf(judged->missing, sizeof judged->missing, "%.*s", SLICE_FMT(j->open));
    }
    return j->open.len || j->v->despite.len || prompts_is_tested(j->r, &j->v->at, sha256, j->why);
}

/* All of production, or a share of it beside the one version that has the rest. */
static bool deploy(struct judging *j, struct json_t **before, struct json_t **after)
{
    struct prompt_arm now[PROMPT_ARMS_MAX], arms[2] = {{j->v->at.version, 1000}, {{0}, 0}};
    struct slice label = SLICE("production");
    size_t count, wanted = 1;
    if (!prompts_arms(j->r, j->v->at.name, label, now, &count, j->why)) return false;
    if (j->v->share && j->v->share < 1000) {
        if (count != 1)
            return fault_set(j->why, FAULT_INTERNAL, "production points at %zu versions: say all shares with "
                             "`moongate prompts share`", count);
        arms[0].share = j->v->share;
        arms[1] = (struct prompt_arm){now[0].version, 1000 - j->v->share};
        wanted = 2;
    }
    json_t *was = prompts_label_json(label, now, count), *is = prompts_label_json(label, arms, wanted);
    json_object_update(*before, was);
    json_object_update(*after, is);
    json_decref(was);
    json_decref(is);
    return prompts_point(j->r, j->v->at.name, label, arms, wanted, j->why);
}

/* What all are told of it beside the state: whose eyes it was, and whose are missing. */
static void describe_verdict(const struct judging *j, json_t *after)
{
    json_object_set_new(after, "role", json_stringn(j->role.ptr, j->role.len));
    if (j->open.len) json_object_set_new(after, "missing", json_stringn(j->open.ptr, j->open.len));
    if (is_approval(j) && j->v->despite.len)
        json_object_set_new(after, "despite_tests", json_stringn(j->v->despite.ptr, j->v->despite.len));
}

static bool carry_out(struct judging *j, const struct change_by *by)
{
    const struct prompt_at *at = &j->v->at;
    const char *status = j->open.len ? "review" : j->status; /* also where it waits it is another than was seen */
    json_t *before = describe(at, j->state.status, j->state.sha256), *after = describe(at, status, j->state.sha256);
    describe_verdict(j, after);
    bool is_deployed = is_approval(j) && !j->open.len && !j->v->is_kept_back;
    bool is_good = prompts_set_status(j->r, at, status, j->why) && (!is_deployed || deploy(j, &before, &after));
    if (is_good) return registry_commit(j->r, by, j->action, at->name, before, after, j->why);
    json_decref(before);
    json_decref(after);
    return false;
}

/* What nobody may decide at all is told before what his roles are: the verdict is written first. */
static enum registry_found judge(struct judging *j, const struct change_by *by)
{
    const struct prompt_at *at = &j->v->at;
    if (!registry_begin(j->r, j->why)) return REGISTRY_FAILED;
    enum registry_found found = prompts_state(j->r, at, &j->state, j->why);
    if (found != REGISTRY_FOUND) return registry_end_change(j->r, found, false);
    bool is_good = choose_role(j) && add_verdict(j) && prompts_may(j->r, at->name, at->person, j->role, j->why) &&
                   is_complete(j) && carry_out(j, by);
    return registry_end_change(j->r, found, is_good);
}

enum registry_found registry_prompt_approve(struct registry *r, const struct prompt_verdict *v,
                                            const struct change_by *by, struct fault *why)
{
    struct judging j = {r, v, .verdict = "approve", .status = "approved", .action = "prompts.approve", .why = why};
    return judge(&j, by);
}

enum registry_found registry_prompt_reject(struct registry *r, const struct prompt_verdict *v,
                                           const struct change_by *by, struct fault *why)
{
    struct judging j = {r, v, .verdict = "reject", .status = "rejected", .action = "prompts.reject", .why = why};
    return judge(&j, by);
}

enum registry_found registry_prompt_ask_changes(struct registry *r, const struct prompt_verdict *v,
                                                const struct change_by *by, struct fault *why)
{
    struct judging j = {r, v, .verdict = "changes", .status = "draft", .action = "prompts.changes", .why = why};
    return judge(&j, by);
}
