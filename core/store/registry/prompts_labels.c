#include "store/registry/prompts_inner.h"

#include <jansson.h>
#include <string.h>

#include "base/limits.h"

#define PRODUCTION SLICE("production")

json_t *prompts_label_json(struct slice label, const struct prompt_arm *arms, size_t count)
{
    json_t *set = json_object(), *labels = json_object();
    for (size_t i = 0; i < count; i++) {
        char version[SEMVER_BYTES];
        semver_write(arms[i].version, version);
        json_object_set_new(set, version, json_integer(arms[i].share));
    }
    json_object_setn_new(labels, label.ptr, label.len, set);
    return labels;
}

bool prompts_arms(struct registry *r, struct slice name, struct slice label, struct prompt_arm *arms, size_t *count,
                  struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT major, minor, patch, share FROM prompt_label WHERE name = ? AND label = ?"
                     " ORDER BY major, minor, patch",
                     value_text(name), value_text(label));
    *count = 0;
    while (*count < PROMPT_ARMS_MAX && registry_next(q))
        arms[(*count)++] = (struct prompt_arm){{(uint32_t)registry_int(q, 0), (uint32_t)registry_int(q, 1),
                                                (uint32_t)registry_int(q, 2)},
                                               (uint32_t)registry_int(q, 3)};
    return registry_end(q, why);
}

/* Archived ones that get a label answer everybody again: their text was approved. */
static bool revive(struct registry *r, const struct prompt_at *at, struct fault *why)
{
    struct prompt_state state;
    enum registry_found found = prompts_state(r, at, &state, why);
    if (found == REGISTRY_MISSING) registry_refuse_as(r, REGISTRY_UNKNOWN, why);
    if (found != REGISTRY_FOUND) return false;
    return strcmp(state.status, "archived") != 0 || prompts_set_status(r, at, "approved", why);
}

/* Approved, no label points at it any more, and one did. */
static bool retire(struct registry *r, const struct prompt_at *at, struct fault *why)
{
    struct prompt_state state;
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT count(*) FROM prompt_label WHERE " AT_VERSION, VALUES_AT(at));
    bool is_labelled = registry_next(q) && registry_int(q, 0) > 0;
    if (!registry_end(q, why)) return false;
    if (is_labelled || prompts_state(r, at, &state, why) != REGISTRY_FOUND) return is_labelled;
    return strcmp(state.status, "approved") != 0 || prompts_set_status(r, at, "archived", why);
}

/* What the tables refuse for production, for all that the rules protect. */
static bool is_allowed(struct registry *r, const struct prompt_at *at, struct slice label, struct fault *why)
{
    struct prompt_state state;
    if (!prompts_is_protected(r, label)) return true;
    if (prompts_state(r, at, &state, why) != REGISTRY_FOUND) return false;
    return strcmp(state.status, "approved") == 0 || registry_refuse_as(r, REGISTRY_NOT_APPROVED, why);
}

static bool insert(struct registry *r, const struct prompt_at *at, struct slice label, uint32_t share,
                   struct fault *why)
{
    return revive(r, at, why) && is_allowed(r, at, label, why) &&
           REGISTRY_DO(r, why,
                       "INSERT INTO prompt_label(name, label, major, minor, patch, share, rev)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?)",
                       value_text(at->name), value_text(label), value_int(at->version.major),
                       value_int(at->version.minor), value_int(at->version.patch), value_int(share), value_rev(r));
}

bool prompts_point(struct registry *r, struct slice name, struct slice label, const struct prompt_arm *arms,
                   size_t count, struct fault *why)
{
    struct prompt_arm old[PROMPT_ARMS_MAX];
    size_t old_count;
    bool is_good = prompts_arms(r, name, label, old, &old_count, why) &&
                   REGISTRY_DO(r, why, "DELETE FROM prompt_label WHERE name = ? AND label = ?", value_text(name),
                               value_text(label));
    for (size_t i = 0; is_good && i < count; i++)
        is_good = insert(r, &(struct prompt_at){name, arms[i].version, SLICE_NONE}, label, arms[i].share, why);
    for (size_t i = 0; is_good && i < old_count; i++)
        is_good = retire(r, &(struct prompt_at){name, old[i].version, SLICE_NONE}, why);
    return is_good;
}

static bool check_arms(struct registry *r, struct slice label, const struct prompt_arm *arms, size_t count,
                       struct fault *why)
{
    uint64_t all = 0;
    bool is_good = count <= PROMPT_ARMS_MAX && label.len > 0 && label.len <= LIMIT_TEMPLATE_NAME_BYTES;
    for (size_t i = 0; is_good && i < count; i++) {
        all += arms[i].share;
        is_good = arms[i].share >= 1 && arms[i].share <= 1000;
    }
    if (count == 0 && slice_equal(label, PRODUCTION)) {
        registry_refuse_as(r, REGISTRY_IN_PRODUCTION, why);
        return fault_set(why, FAULT_INTERNAL,
                         "production always points at a version: revoke it, or let it point at another");
    }
    if (is_good && (count == 0 || all == 1000)) return true;
    registry_refuse_as(r, REGISTRY_SHARES, why);
    return fault_set(why, FAULT_INTERNAL, "the shares of a label come to 1000 together, each of 1 to 1000; at most 16");
}

static enum registry_found point(struct registry *r, struct slice name, struct slice label,
                                 const struct prompt_arm *arms, size_t count, struct slice person, const char *action,
                                 const struct change_by *by, struct fault *why)
{
    struct prompt_arm old[PROMPT_ARMS_MAX];
    size_t old_count = 0;
    struct buf department;
    buf_init(&department);
    enum registry_found found = prompts_department(r, name, &department, why);
    buf_clear(&department);
    /* Unprotected labels are for those who try things alone. */
    bool is_good = found == REGISTRY_FOUND &&
                   (!prompts_is_protected(r, label) || prompts_may_move(r, name, person, why)) &&
                   prompts_arms(r, name, label, old, &old_count, why) &&
                   prompts_point(r, name, label, arms, count, why) &&
                   registry_commit(r, by, action, name, prompts_label_json(label, old, old_count),
                                   prompts_label_json(label, arms, count), why);
    return registry_end_change(r, found, is_good);
}

enum registry_found registry_prompt_label(struct registry *r, struct slice name, struct slice label,
                                          const struct prompt_arm *arms, size_t count, struct slice person,
                                          const struct change_by *by, struct fault *why)
{
    if (!check_arms(r, label, arms, count, why) || !registry_begin(r, why)) return REGISTRY_FAILED;
    return point(r, name, label, arms, count, person, "prompts.label", by, why);
}

/* ---- Back to what was. */

/* The newest event that moved production says what it moved it from. */
static bool read_before(struct registry *r, struct slice name, struct prompt_arm *arms, size_t *count,
                        struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT before FROM event WHERE object = ? AND action LIKE 'prompts.%'"
                                            " AND before LIKE '%\"production\":{\"%' ORDER BY rev DESC LIMIT 1",
                                            value_text(name));
    json_t *before = NULL, *share;
    const char *version;
    *count = 0;
    if (registry_next(q))
        before = json_loadb(registry_text(q, 0).ptr, registry_text(q, 0).len, 0, NULL);
    if (!registry_end(q, why)) {
        json_decref(before);
        return false;
    }
    json_object_foreach(json_object_get(before, "production"), version, share)
    {
        struct prompt_arm *arm = &arms[*count];
        arm->share = (uint32_t)json_integer_value(share);
        if (*count < PROMPT_ARMS_MAX && semver_parse(slice_str(version), &arm->version)) ++*count;
    }
    json_decref(before);
    return *count > 0 || fault_set(why, FAULT_INTERNAL, "production never pointed at another version: say which");
}

enum registry_found registry_prompt_rollback(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                             struct semver *now, struct fault *why)
{
    struct prompt_arm arms[PROMPT_ARMS_MAX + 1] = {{at->version, 1000}};
    size_t count = 1;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    if (!semver_is_said(at->version) && !read_before(r, at->name, arms, &count, why))
        return registry_end_change(r, REGISTRY_FAILED, false);
    *now = arms[0].version;
    return point(r, at->name, PRODUCTION, arms, count, at->person, "prompts.rollback", by, why);
}

/* ---- Never again. */

/* The labels that point at it, each a line. */
static bool read_labels(struct registry *r, const struct prompt_at *at, struct buf *labels, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT label FROM prompt_label WHERE " AT_VERSION " ORDER BY label", VALUES_AT(at));
    while (registry_next(q)) {
        buf_append(labels, registry_text(q, 0));
        buf_append_char(labels, '\n');
    }
    return registry_end(q, why);
}

/* Its share goes to the other, in each of them. */
static bool move_labels(struct registry *r, const struct prompt_at *at, struct semver to, struct slice labels,
                        struct fault *why)
{
    while (labels.len) {
        struct prompt_arm arms[PROMPT_ARMS_MAX];
        size_t count, kept = 0, target = PROMPT_ARMS_MAX;
        uint32_t share = 0;
        struct slice label = slice_split(labels, '\n', &labels);
        if (!prompts_arms(r, at->name, label, arms, &count, why)) return false;
        for (size_t i = 0; i < count; i++) {
            bool is_it = semver_compare(arms[i].version, at->version) == 0;
            if (is_it) share = arms[i].share;
            if (!is_it && semver_compare(arms[i].version, to) == 0) target = kept;
            if (!is_it) arms[kept++] = arms[i];
        }
        if (target == PROMPT_ARMS_MAX) arms[target = kept++] = (struct prompt_arm){to, 0};
        arms[target].share += share;
        if (!prompts_point(r, at->name, label, arms, kept, why)) return false;
    }
    return true;
}

static bool revoke(struct registry *r, const struct prompt_at *at, struct semver to, struct fault *why)
{
    struct buf labels;
    buf_init(&labels);
    bool is_good = prompts_may_move(r, at->name, at->person, why) && read_labels(r, at, &labels, why);
    if (is_good && buf_len(&labels) && !semver_is_said(to)) {
        struct slice rest, first = slice_split(buf_slice(&labels), '\n', &rest);
        registry_refuse_as(r, REGISTRY_IN_PRODUCTION, why);
        is_good = fault_set(why, FAULT_INTERNAL, "the label %.*s points at it: say what it is to point at instead",
                            SLICE_FMT(first));
    }
    is_good = is_good && move_labels(r, at, to, buf_slice(&labels), why) && prompts_set_status(r, at, "revoked", why);
    buf_clear(&labels);
    return is_good;
}

enum registry_found registry_prompt_revoke(struct registry *r, const struct prompt_at *at, struct semver to,
                                           const struct change_by *by, struct fault *why)
{
    struct prompt_state state;
    char version[SEMVER_BYTES];
    semver_write(at->version, version);
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = prompts_state(r, at, &state, why);
    bool is_good = found == REGISTRY_FOUND && revoke(r, at, to, why) &&
                   registry_commit(r, by, "prompts.revoke", at->name,
                                   json_pack("{s:s, s:s}", "version", version, "status", state.status),
                                   json_pack("{s:s, s:s}", "version", version, "status", "revoked"), why);
    return registry_end_change(r, found, is_good);
}

enum registry_found registry_prompt_alias(struct registry *r, struct slice alias, const struct prompt_at *at,
                                          const struct change_by *by, struct fault *why)
{
    struct buf department;
    if (alias.len == 0 || alias.len > 128) {
        fault_set(why, FAULT_INTERNAL, "an alias has 1 to 128 bytes");
        return REGISTRY_FAILED;
    }
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    buf_init(&department);
    enum registry_found found = prompts_department(r, at->name, &department, why);
    buf_clear(&department);
    bool is_good = found == REGISTRY_FOUND &&
                   REGISTRY_DO(r, why, "INSERT INTO prompt_alias(alias, name, rev) VALUES(?, ?, ?)", value_text(alias),
                               value_text(at->name), value_rev(r)) &&
                   registry_commit(r, by, "prompts.alias", at->name, NULL,
                                   json_pack("{s:s%}", "alias", alias.ptr, alias.len), why);
    return registry_end_change(r, found, is_good);
}
