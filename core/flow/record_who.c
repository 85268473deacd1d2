/* Who asked, by what, and whose the data was. */
#include "flow/record_inner.h"

static void append_labels(struct buf *out, const struct key_record *key)
{
    if (!key->label_count) return;
    append_open(out, NAME("labels"), '{');
    for (size_t i = 0; i < key->label_count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, key->labels[i].name);
        buf_append_char(out, ':');
        buf_append_json(out, key->labels[i].value);
    }
    buf_append_char(out, '}');
}

static void append_key(struct buf *out, const struct key_record *key)
{
    append_some(out, NAME("tier"), key->tier);
    append_some(out, NAME("region"), key->region);
    append_some(out, NAME("clearance"), key->clearance);
    append_some(out, NAME("env"), key->env);
    append_list(out, NAME("roles"), key->roles, key->role_count);
    append_list(out, NAME("approvals"), key->approvals, key->approval_count);
    append_labels(out, key);
}

/* Why nothing of it is believed; NULL: it is. */
static const char *refusal_of(const struct exchange *x)
{
    const struct identity *id = &x->identity;
    if (id->token_presented && id->token_refusal != JWT_GOOD) return "refused";
    if (!id->key) return id->key_presented ? "unknown" : "missing";
    if (id->key->is_revoked) return "revoked";
    return key_record_is_live(id->key, x->born_wall_ns) ? NULL : "expired";
}

static void append_refusal(struct buf *out, const struct identity *id, const char *word)
{
    append_text(out, NAME("credential"), slice_str(word));
    append_some(out, NAME("header"), id->credential_header);
    if (!id->token_presented || id->token_refusal == JWT_GOOD) return;
    append_text(out, NAME("refusal"), slice_str(jwt_refusal_word(id->token_refusal)));
    append_some(out, NAME("claim"), id->token_claim);
}

/* Of the four that a key has too: those that a policy gave. */
static void append_settled(struct buf *out, struct slice name, struct slice value, struct slice own)
{
    if (value.len && !own.len) append_text(out, name, value);
}

static void append_added(struct buf *out, const struct identity *id, bool is_believed)
{
    static const struct key_record nobody;
    const struct key_record *own = is_believed ? id->key : &nobody;
    size_t before = buf_len(out);
    append_open(out, NAME("added"), '{');
    size_t begin = buf_len(out);
    append_settled(out, NAME("app"), id->app, own->app);
    append_settled(out, NAME("department"), id->department, own->department);
    append_settled(out, NAME("user"), id->user, own->user);
    append_settled(out, NAME("team"), id->team, own->team);
    for (size_t i = 0; i < id->added_count; i++) {
        if (buf_len(out) > begin) buf_append_char(out, ',');
        buf_append_json(out, id->added[i].name);
        buf_append_char(out, ':');
        buf_append_json(out, id->added[i].value);
    }
    if (buf_len(out) == begin) out->end = out->start + before;
    else buf_append_char(out, '}');
}

void record_who(struct buf *out, const struct exchange *x)
{
    const struct identity *id = &x->identity;
    const char *refusal = refusal_of(x);
    append_open(out, NAME("identity"), '{');
    if (id->key) append_some(out, NAME("key_id"), id->key->id);
    if (id->token_presented) append_some(out, NAME("issuer"), id->token_issuer);
    append_some(out, NAME("app"), id->app);
    append_some(out, NAME("department"), id->department);
    append_some(out, NAME("user"), id->user);
    append_some(out, NAME("team"), id->team);
    if (refusal) append_refusal(out, id, refusal);
    else append_key(out, id->key);
    append_added(out, id, !refusal);
    buf_append_char(out, '}');
    append_some(out, NAME("data"), x->decision.data);
    append_list(out, NAME("labels"), x->decision.labels, x->decision.label_count);
    append_some(out, NAME("session"), x->decision.session);
    append_some(out, NAME("grant"), x->decision.grant);
    if (x->decision.is_break_glass) append_flag(out, NAME("break_glass"), true);
}

/* ---- The client's own names for it. */

#define CLIENT_BYTES_MAX 256u

/* Anything may stand in a header: what is no text, also for being cut here, becomes U+FFFD. */
static struct slice bounded(struct slice value)
{
    return slice_of(value.ptr, value.len < CLIENT_BYTES_MAX ? value.len : CLIENT_BYTES_MAX);
}

void record_client(struct buf *out, const struct exchange *x)
{
    struct slice agent = SLICE(""), id = SLICE(""), client_id = SLICE(""), trace = SLICE("");
    for (size_t i = 0; i < x->head.header_count; i++) {
        const struct pair *header = &x->head.headers[i];
        struct slice *to = NULL;
        switch (header->name.len) { /* most headers are none of them */
        case 10: to = slice_iequal(header->name, SLICE("user-agent")) ? &agent : NULL; break;
        case 11: to = slice_iequal(header->name, SLICE("traceparent")) ? &trace : NULL; break;
        case 12: to = slice_iequal(header->name, SLICE("x-request-id")) ? &id : NULL; break;
        case 19: to = slice_iequal(header->name, SLICE("x-client-request-id")) ? &client_id : NULL; break;
        }
        if (to && !to->len) *to = bounded(header->value);
    }
    if (agent.len || id.len || client_id.len) {
        append_open(out, NAME("client"), '{');
        append_some(out, NAME("user_agent"), agent);
        append_some(out, NAME("request_id"), client_id.len ? client_id : id);
        if (client_id.len && id.len) append_text(out, NAME("x_request_id"), id);
        buf_append_char(out, '}');
    }
    append_some(out, NAME("traceparent"), trace);
}
