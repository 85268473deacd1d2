#include "store/registry/prompts_inner.h"

#include <jansson.h>
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
};

static bool add_verdict(struct judging *j)
{
    const struct prompt_verdict *v = j->v;
    struct slice sha256 = v->sha256.len ? v->sha256 : slice_str(j->state.sha256);
    return REGISTRY_DO(j->r, j->why,
                       "INSERT INTO prompt_review(name, major, minor, patch, sha256, person, role, verdict, comment,"
                       " rev) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       VALUES_AT(&v->at), value_text(sha256), value_text(v->at.person),
                       value_text(v->role.len ? v->role : SLICE("approver")), value_str(j->verdict),
                       value_text_or_null(v->comment), value_rev(j->r));
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

static enum registry_found judge(struct judging *j, const struct change_by *by)
{
    const struct prompt_at *at = &j->v->at;
    if (!registry_begin(j->r, j->why)) return REGISTRY_FAILED;
    enum registry_found found = prompts_state(j->r, at, &j->state, j->why);
    if (found != REGISTRY_FOUND) return registry_end_change(j->r, found, false);
    json_t *before = describe(at, j->state.status, j->state.sha256), *after = describe(at, j->status, j->state.sha256);
    struct slice role = j->v->role.len ? j->v->role : SLICE("approver");
    bool is_good = add_verdict(j) && prompts_may(j->r, at->name, at->person, role, j->why) &&
                   prompts_set_status(j->r, at, j->status, j->why);
    bool is_deployed = strcmp(j->status, "approved") == 0 && !j->v->is_kept_back;
    if (is_good && is_deployed) is_good = deploy(j, &before, &after);
    if (is_good) {
        is_good = registry_commit(j->r, by, j->action, at->name, before, after, j->why);
    } else {
        json_decref(before);
        json_decref(after);
    }
    return registry_end_change(j->r, found, is_good);
}

enum registry_found registry_prompt_approve(struct registry *r, const struct prompt_verdict *v,
                                            const struct change_by *by, struct fault *why)
{
    return judge(&(struct judging){r, v, "approve", "approved", "prompts.approve", {{0}, {0}, 0}, why}, by);
}

enum registry_found registry_prompt_reject(struct registry *r, const struct prompt_verdict *v,
                                           const struct change_by *by, struct fault *why)
{
    return judge(&(struct judging){r, v, "reject", "rejected", "prompts.reject", {{0}, {0}, 0}, why}, by);
}

enum registry_found registry_prompt_ask_changes(struct registry *r, const struct prompt_verdict *v,
                                                const struct change_by *by, struct fault *why)
{
    return judge(&(struct judging){r, v, "changes", "draft", "prompts.changes", {{0}, {0}, 0}, why}, by);
}
