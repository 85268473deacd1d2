#include "exchange/outgoing.h"

#include "exchange/terms.h"
#include "wire/count_rules.h"

/* What is translated gets its name there, and until then has the caller's. */
static enum chat_limit limit_of(const struct exchange *x, const struct target *target)
{
    const struct terms *terms = target ? target->terms : NULL;
    bool is_own = exchange_spoken(x, terms) == x->api->client;
    return is_own && terms && terms->counting ? terms->counting->limit : CHAT_LIMIT_ANY;
}

static const struct slice user = {"user", 4}, identifier = {"safety_identifier", 17};

/* Where both are one member, the newer name counts. */
static bool is_overruled(const struct exchange *x, struct slice name)
{
    return x->request.dialect->names_user_once && slice_equal(name, user) && exchange_sets(x, identifier);
}

/* What policies set, as the target calls it; and the caller's own bound of the answer where none set that. */
static void add_members(const struct exchange *x, const struct target *target, struct splice *edits)
{
    enum chat_limit limit = limit_of(x, target);
    bool is_limited = false;
    for (size_t i = 0; i < x->decision.edit_count; i++) {
        is_limited = is_limited || slice_equal(x->decision.edits[i].name, SLICE("max_tokens"));
        if (is_overruled(x, x->decision.edits[i].name)) continue;
        chat_edit_member(&x->request, edits, limit, x->decision.edits[i].name, x->decision.edits[i].json);
    }
    if (!is_limited) chat_edit_limit_name(&x->request, edits, limit);
}

void outgoing_edit(struct exchange *x, const struct target *target, bool asks_usage, struct arena *arena,
                   struct splice *edits)
{
    struct chat_request *r = &x->request;
    splice_init(edits, &r->tape, buf_slice(&x->body), arena);
    chat_edit_model(r, edits, target && target->model.len ? target->model : r->model);
    chat_edit_drop_hints(r, edits);
    if (asks_usage) chat_edit_ask_usage(r, edits);
    if (x->decision.redact) redact_edit(x->decision.redact, edits);
    add_members(x, target, edits); /* last: a member that is replaced takes the masks inside it with it */
}

void outgoing_edit_user(const struct exchange *x, struct splice *edits)
{
    bool sets_user = exchange_sets(x, user), sets_identifier = exchange_sets(x, identifier);
    if (sets_user == sets_identifier || x->request.dialect->names_user_once) return;
    chat_edit_member(&x->request, edits, CHAT_LIMIT_ANY, sets_user ? identifier : user, SLICE_NONE);
}
