#include "store/registry/calls.h"

#include "store/registry/registry_inner.h"

/* What is over goes with each claim, so that the table stays as long as a day's calls. */
static bool claim(struct registry *r, const struct call_name *name, int64_t now_s, bool *is_new, struct fault *why)
{
    if (!REGISTRY_DO(r, why, "DELETE FROM once WHERE at <= ?", value_int(now_s - LIMIT_CALL_KEPT_S))) return false;
    struct registry_query *q = REGISTRY_ASK(
        r,
        "INSERT INTO once(key, person, digest, answer, at) VALUES(?, ?, ?, '', ?) ON CONFLICT DO NOTHING"
        " RETURNING at",
        value_text(name->key), value_text(name->person), value_text(name->digest), value_int(now_s));
    *is_new = registry_next(q);
    return registry_end(q, why);
}

static bool read_before(struct registry *r, const struct call_name *name, struct arena *arena,
                        struct call_before *before, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT digest, answer FROM once WHERE key = ? AND person = ?",
                                            value_text(name->key), value_text(name->person));
    if (registry_next(q)) {
        before->answer = arena_copy(arena, registry_text(q, 1));
        before->state = !slice_equal(registry_text(q, 0), name->digest) ? CALL_OTHER_BODY
                        : before->answer.len                            ? CALL_DONE
                                                                        : CALL_OPEN;
    }
    return registry_end(q, why);
}

bool registry_call_begin(struct registry *r, const struct call_name *name, int64_t now_s, struct arena *arena,
                         struct call_before *before, struct fault *why)
{
    bool is_new;
    *before = (struct call_before){.state = CALL_NEW};
    return claim(r, name, now_s, &is_new, why) && (is_new || read_before(r, name, arena, before, why));
}

bool registry_call_end(struct registry *r, const struct call_name *name, struct slice answer, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE once SET answer = ? WHERE key = ? AND person = ?", value_text(answer),
                       value_text(name->key), value_text(name->person));
}

bool registry_call_forget(struct registry *r, const struct call_name *name, struct fault *why)
{
    return REGISTRY_DO(r, why, "DELETE FROM once WHERE key = ? AND person = ?", value_text(name->key),
                       value_text(name->person));
}

bool registry_revision(struct registry *r, int64_t *rev, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT rev FROM rev WHERE id = ?", value_int(1));
    *rev = registry_next(q) ? registry_int(q, 0) : 0;
    return registry_end(q, why);
}

bool registry_is_trouble(const struct registry *r, const struct fault *why)
{
    return registry_refused(r) == REGISTRY_ACCEPTED && slice_starts(slice_str(fault_message(why)), slice_str(r->name));
}
