#include "exchange/outgoing.h"

/* What policies set. */
static void add_members(const struct exchange *x, struct splice *edits)
{
    for (size_t i = 0; i < x->decision.edit_count; i++) {
        chat_edit_member(&x->request, edits, x->decision.edits[i].name, x->decision.edits[i].json);
    }
}

void outgoing_edit(struct exchange *x, struct slice model, bool asks_usage, struct arena *arena, struct splice *edits)
{
    struct chat_request *r = &x->request;
    splice_init(edits, &r->tape, buf_slice(&x->body), arena);
    if (model.len) chat_edit_model(r, edits, model);
    chat_edit_drop_hints(r, edits);
    if (asks_usage) chat_edit_ask_usage(r, edits);
    if (x->decision.redact) redact_edit(x->decision.redact, edits);
    add_members(x, edits); /* last: a member that is replaced takes the masks inside it with it */
}
