#include "flow/hosted.h"

#include "base/limits.h"
#include "flow/crossing.h"
#include "lua/betas.h"

const struct host *hosted_by(const struct call *call)
{
    const struct hosting *hosting = call->dialect->hosting;
    return hosting ? hosting->host_of(call->provider->kind) : NULL;
}

bool hosted_has_headers_in_body(const struct call *call)
{
    const struct host *host = hosted_by(call);
    return host && host->has_previews_in_body;
}

/* Of a caller of another API none is about this one. */
static void collect(const struct call *call, struct previews *previews)
{
    const struct hosting *hosting = call->dialect->hosting;
    const struct exchange *x = call->job->x;
    for (size_t i = 0; i < x->head.header_count && !crossing_is_foreign(call); i++) {
        if (slice_iequal(x->head.headers[i].name, hosting->header))
            hosting->add_previews(previews, x->head.headers[i].value);
    }
}

void hosted_note(const struct call *call, struct dropped *dropped)
{
    struct previews previews = {.takes = betas_bedrock_takes, .dropped = dropped};
    struct arena arena;
    if (!hosted_has_headers_in_body(call)) return;
    arena_init(&arena);
    collect(call, &previews);
    call->dialect->hosting->add_own(&previews, &call->job->x->request.tape, &arena);
    arena_clear(&arena);
}

void hosted_edit(const struct call *call, struct splice *edits)
{
    const struct host *host = hosted_by(call);
    struct previews previews = {.takes = betas_bedrock_takes, .keeps_model = call->job->x->api->asks == CHAT_COUNT};
    if (!host) return;
    if (host->has_previews_in_body) collect(call, &previews);
    call->dialect->hosting->edit(host, &previews, edits);
}

static void rewrite(struct call *call, const struct json_tape *tape)
{
    struct splice edits;
    struct arena arena;
    struct buf body;
    arena_init(&arena);
    buf_init(&body);
    splice_init(&edits, tape, buf_slice(&call->crossed), &arena);
    hosted_edit(call, &edits);
    splice_apply(&edits, &body);
    buf_clear(&call->crossed);
    call->crossed = body;
    arena_clear(&arena);
}

/* It is JSON that was just written here; but what a tool was asked, a text of JSON in one API, stands inside the body
 * in another, and so may be deeper than all that is read. */
bool hosted_rewrite(struct call *call, struct fault *why)
{
    struct json_tape tape;
    struct fault unread;
    if (!hosted_by(call)) return true;
    json_init(&tape);
    bool is_read = json_parse(&tape, buf_slice(&call->crossed), &unread);
    if (is_read)
        rewrite(call, &tape);
    else
        fault_set(why, FAULT_BAD_BODY, "as this model's provider takes it, it is nested deeper than %u levels, or has "
                  "too many values: make what tools were asked simpler", LIMIT_JSON_DEPTH);
    json_clear(&tape);
    return is_read;
}
