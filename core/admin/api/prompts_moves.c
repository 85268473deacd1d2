/* From one state to the next, and what labels point at. */
#include <jansson.h>

#include "admin/api/prompting.h"
#include "admin/api/prompts.h"

const struct api_field prompts_move_fields[] = {REASON_FIELD, FIELDS_END};

const struct api_field prompts_review_fields[] = {
    {"verdict", API_TEXT, true, "approve, reject or changes"},
    {"sha256", API_TEXT, false, "of the text that was looked at; the one that stands there unless said"},
    {"comment", API_TEXT, false, "why, at most 500 bytes"},
    {"role", API_NAME, false, "as which; unless said, as one that is missing and the caller's"},
    {"share", API_INTEGER, false, "of production, thousandths; all of it unless said"},
    {"is_kept_back", API_FLAG, false, "approved, and not put into production"},
    {"despite_tests", API_TEXT, false, "why, where its cases have not passed"},
    FIELDS_END,
};

const struct api_field prompts_revoke_fields[] = {
    {"to", API_TEXT, false, "the version that labels which point at it point at instead"}, REASON_FIELD, FIELDS_END};

const struct api_field prompts_rollback_fields[] = {
    {"version", API_TEXT, false, "which production points at again; what it pointed at before unless said"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field prompts_label_fields[] = {
    {"shares", API_JSON, true, "an object: versions and their thousandths, 1000 together"}, REASON_FIELD, FIELDS_END};

const struct api_field prompts_alias_fields[] = {
    {"alias", API_NAME, true, "another name for it"}, REASON_FIELD, FIELDS_END};

typedef enum registry_found (*move_fn)(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                       struct fault *why);

/* There, as it was seen, and the caller's to change. False: it is answered. */
static bool is_ready(struct api_call *call, enum api_role role, struct prompt_at *at)
{
    json_t *prompt = acting_registry(call) ? prompting_find(call) : NULL, *object = prompt;
    if (prompt && call->parameters[1].len) object = prompting_version(call, prompt, call->parameters[1]);
    bool is_good = object && prompting_is_seen(call, object) && prompting_may(call, prompt, role) &&
                   prompting_at(call, at);
    json_decref(prompt);
    return is_good;
}

static void move(struct api_call *call, move_fn fn)
{
    struct fault why;
    struct prompt_at at;
    if (!is_ready(call, API_AUTHOR, &at)) return;
    struct change_by by = acting_by(call);
    if (prompting_is_done(call, fn(call->api->registry, &at, &by, &why), &why)) prompting_show(call, 200);
}

void prompts_submit(struct api_call *call)
{
    move(call, registry_prompt_submit);
}

void prompts_withdraw(struct api_call *call)
{
    move(call, registry_prompt_withdraw);
}

/* ---- Verdicts. */

static enum registry_found judge(struct api_call *call, const struct prompt_verdict *v, struct fault *why)
{
    struct slice verdict = body_text(call, "verdict");
    struct registry *r = call->api->registry;
    struct change_by by = acting_by(call);
    by.reason = v->comment;
    if (slice_equal(verdict, SLICE("approve"))) return registry_prompt_approve(r, v, &by, why);
    if (slice_equal(verdict, SLICE("reject"))) return registry_prompt_reject(r, v, &by, why);
    return registry_prompt_ask_changes(r, v, &by, why);
}

static bool check_verdict(struct api_call *call)
{
    struct slice verdict = body_text(call, "verdict");
    int64_t share = body_integer(call, "share");
    if (!slice_equal(verdict, SLICE("approve")) && !slice_equal(verdict, SLICE("reject")) &&
        !slice_equal(verdict, SLICE("changes")))
        return answer_refuse(call, 400, "invalid_field", "verdict", NULL, "`verdict` is approve, reject or changes");
    return (share >= 0 && share <= 1000) ||
           answer_refuse(call, 400, "invalid_field", "share", NULL, "`share` is thousandths: 1 to 1000");
}

void prompts_review(struct api_call *call)
{
    struct fault why;
    struct prompt_judged judged = {.missing = ""};
    struct prompt_verdict v = {.sha256 = body_text(call, "sha256"),
                               .comment = body_text(call, "comment"),
                               .role = body_text(call, "role"),
                               .is_kept_back = body_flag(call, "is_kept_back"),
                               .share = (uint32_t)body_integer(call, "share"),
                               .despite = body_text(call, "despite_tests"),
                               .judged = &judged};
    if (!check_verdict(call) || !is_ready(call, API_PERSON, &v.at)) return;
    if (!prompting_is_done(call, judge(call, &v, &why), &why)) return;
    prompting_show(call, 200);
    if (judged.missing[0] && call->answer.body)
        json_object_set_new(call->answer.body, "missing", json_string(judged.missing));
}

void prompts_revoke(struct api_call *call)
{
    struct fault why;
    struct prompt_at at;
    struct semver to = {0};
    struct slice said = body_text(call, "to");
    if (said.len && !prompting_read_version(call, said, "to", &to)) return;
    if (!is_ready(call, API_APPROVER, &at)) return;
    struct change_by by = acting_by(call);
    if (prompting_is_done(call, registry_prompt_revoke(call->api->registry, &at, to, &by, &why), &why))
        prompting_show(call, 200);
}

void prompts_rollback(struct api_call *call)
{
    struct fault why;
    struct prompt_at at;
    struct semver now;
    struct slice said = body_text(call, "version");
    if (!is_ready(call, API_APPROVER, &at)) return;
    if (said.len && !prompting_read_version(call, said, "version", &at.version)) return;
    struct change_by by = acting_by(call);
    if (prompting_is_done(call, registry_prompt_rollback(call->api->registry, &at, &by, &now, &why), &why))
        prompting_show(call, 200);
}

/* ---- Labels. */

static bool read_shares(struct api_call *call, struct prompt_arm arms[PROMPT_ARMS_MAX], size_t *count)
{
    const char *version;
    json_t *share, *all = body_json(call, "shares");
    *count = 0;
    if (!json_is_object(all) || json_object_size(all) > PROMPT_ARMS_MAX)
        return answer_refuse(call, 400, "invalid_field", "shares", NULL,
                             "`shares` is an object of at most %d versions and their thousandths", PROMPT_ARMS_MAX);
    json_object_foreach (all, version, share) {
        struct prompt_arm *arm = &arms[(*count)++];
        json_int_t number = json_integer_value(share);
        if (!prompting_read_version(call, slice_str(version), "shares", &arm->version)) return false;
        if (number < 1 || number > 1000)
            return answer_refuse(call, 400, "invalid_field", "shares", NULL, "the share of %s is 1 to 1000", version);
        arm->share = (uint32_t)number;
    }
    return *count > 0 ||
           answer_refuse(call, 400, "invalid_field", "shares", "DELETE takes a label away",
                         "`shares` names no version");
}

static bool may_label(struct api_call *call, struct slice label, struct prompt_at *at)
{
    const struct governance *rules = acting_registry(call) ? acting_rules(call) : NULL;
    call->parameters[1] = SLICE_NONE; /* a label: what it is of is the prompt itself */
    return rules && is_ready(call, governance_is_protected(rules, label) ? API_APPROVER : API_AUTHOR, at);
}

static void point(struct api_call *call, const struct prompt_arm *arms, size_t count)
{
    struct fault why;
    struct prompt_at at;
    struct slice label = call->parameters[1];
    if (!may_label(call, label, &at)) return;
    struct change_by by = acting_by(call);
    enum registry_found found =
        registry_prompt_label(call->api->registry, at.name, label, arms, count, at.person, &by, &why);
    if (prompting_is_done(call, found, &why)) prompting_show(call, 200);
}

void prompts_label(struct api_call *call)
{
    size_t count;
    struct prompt_arm arms[PROMPT_ARMS_MAX];
    if (read_shares(call, arms, &count)) point(call, arms, count);
}

void prompts_unlabel(struct api_call *call)
{
    point(call, NULL, 0);
}

void prompts_alias(struct api_call *call)
{
    struct fault why;
    struct prompt_at at;
    if (!is_ready(call, API_AUTHOR, &at)) return;
    struct change_by by = acting_by(call);
    enum registry_found found =
        registry_prompt_alias(call->api->registry, body_text(call, "alias"), &at, &by, &why);
    if (prompting_is_done(call, found, &why)) prompting_show(call, 200);
}
