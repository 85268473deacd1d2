#include "exchange/outgoing.h"

/* What policies set. */
static void add_members(const struct exchange *x, struct splice *edits)
{
    for (size_t i = 0; i < x->decision.edit_count; i++) {
        const struct body_edit *edit = &x->decision.edits[i];
        uint32_t node = json_get(&x->request.tape, 0, edit->name);
        if (node == JSON_NONE && edit->json.len)
            splice_append(edits, 0, edit->name, edit->json);
        else if (node != JSON_NONE && edit->json.len)
            splice_value(edits, node, edit->json);
        else if (node != JSON_NONE)
            splice_remove(edits, 0, node);
    }
}

void outgoing_edit(struct exchange *x, struct slice model, bool asks_usage, struct splice *edits)
{
    struct chat_request *r = &x->request;
    splice_init(edits, &r->tape, buf_slice(&x->body), &x->arena);
    if (model.len) chat_edit_model(r, edits, model);
    chat_edit_drop_hints(r, edits);
    if (asks_usage) chat_edit_ask_usage(r, edits);
    if (x->decision.redact) redact_edit(x->decision.redact, edits);
    add_members(x, edits); /* last: a member that is replaced takes the masks inside it with it */
}
