#include "flow/fitted.h"

#include "exchange/outgoing.h"
#include "flow/send.h"
#include "wire/fitting.h"

static struct fitting fitting_of(const struct call *call)
{
    return (struct fitting){.rejects = call->provider->rejects, .renames = call->provider->renames};
}

static void edit(const struct fitting *fitting, const struct json_tape *tape, struct slice body, struct buf *out,
                 struct dropped *dropped)
{
    struct splice edits;
    struct arena arena;
    arena_init(&arena);
    splice_init(&edits, tape, body, &arena);
    fitting_edit(fitting, &edits, dropped);
    splice_apply(&edits, out);
    arena_clear(&arena);
}

/* It is JSON: what was just written, or a good body with edits; but it may be deeper than what it was made of, and then
 * nobody sees to it that an answer's bound has the name that the server reads. Of one that nothing changes nothing is
 * written. */
static bool fit(const struct fitting *fitting, struct slice body, struct buf *out, struct dropped *dropped,
                struct fault *why)
{
    struct json_tape tape;
    struct fault unread;
    json_init(&tape);
    bool is_read = json_parse(&tape, body, &unread);
    if (is_read && fitting_touches(fitting, &tape)) edit(fitting, &tape, body, out, dropped);
    json_clear(&tape);
    return is_read || fault_set(why, FAULT_BAD_BODY,
                                "as this model's provider takes it, it is nested deeper than %u levels, or has too "
                                "many values: make what tools were asked simpler", LIMIT_JSON_DEPTH);
}

/* What policies set, and the name of an answer's bound by the target, may be among it too. */
static bool may_be_touched(const struct call *call, const struct fitting *fitting)
{
    const struct exchange *x = call->job->x;
    const struct json_tape *tape = &x->request.tape;
    bool has_limit = json_get(tape, 0, SLICE("max_tokens")) != JSON_NONE ||
                     json_get(tape, 0, SLICE("max_completion_tokens")) != JSON_NONE;
    return x->decision.edit_count > 0 || has_limit || fitting_touches(fitting, tape);
}

bool fitted_write(struct call *call, const struct target *target, struct dropped *dropped, struct fault *why)
{
    struct fitting fitting = fitting_of(call);
    struct splice edits;
    struct arena arena;
    struct buf edited;
    const struct exchange *x = call->job->x;
    if (x->form || x->api->kind == API_OBJECT || fitting_is_empty(&fitting) || !may_be_touched(call, &fitting))
        return true;
    arena_init(&arena);
    buf_init(&edited);
    outgoing_edit(call->job->x, target, send_asks_usage(call), &arena, &edits);
    splice_apply(&edits, &edited);
    bool is_fit = fit(&fitting, buf_slice(&edited), &call->crossed, dropped, why);
    buf_clear(&edited);
    arena_clear(&arena);
    return is_fit;
}

bool fitted_rewrite(struct call *call, struct dropped *dropped, struct fault *why)
{
    struct fitting fitting = fitting_of(call);
    struct buf body;
    if (fitting_is_empty(&fitting)) return true;
    buf_init(&body);
    bool is_fit = fit(&fitting, buf_slice(&call->crossed), &body, dropped, why);
    if (!buf_len(&body)) return is_fit;
    buf_clear(&call->crossed);
    call->crossed = body;
    return true;
}
