#include "flow/fitted.h"

#include "exchange/outgoing.h"
#include "flow/send.h"
#include "wire/fitting.h"

static struct fitting fitting_of(const struct call *call)
{
    return (struct fitting){.rejects = call->provider->rejects, .renames = call->provider->renames};
}

/* It is JSON: what was just written, or a good body with edits; it goes out as it is where there is no memory for more.
 * Of one that nothing changes nothing is written. */
static bool fit(const struct fitting *fitting, struct slice body, struct buf *out, struct dropped *dropped)
{
    struct json_tape tape;
    struct splice edits;
    struct arena arena;
    struct fault why;
    json_init(&tape);
    arena_init(&arena);
    bool is_touched = json_parse(&tape, body, &why) && fitting_touches(fitting, &tape);
    if (is_touched) {
        splice_init(&edits, &tape, body, &arena);
        fitting_edit(fitting, &edits, dropped);
        splice_apply(&edits, out);
    }
    arena_clear(&arena);
    json_clear(&tape);
    return is_touched;
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

void fitted_write(struct call *call, const struct target *target, struct dropped *dropped)
{
    struct fitting fitting = fitting_of(call);
    struct splice edits;
    struct arena arena;
    struct buf edited;
    const struct exchange *x = call->job->x;
    if (x->form || x->api->kind == API_OBJECT || fitting_is_empty(&fitting) || !may_be_touched(call, &fitting)) return;
    arena_init(&arena);
    buf_init(&edited);
    outgoing_edit(call->job->x, target, send_asks_usage(call), &arena, &edits);
    splice_apply(&edits, &edited);
    fit(&fitting, buf_slice(&edited), &call->crossed, dropped);
    buf_clear(&edited);
    arena_clear(&arena);
}

void fitted_rewrite(struct call *call, struct dropped *dropped)
{
    struct fitting fitting = fitting_of(call);
    struct buf body;
    if (fitting_is_empty(&fitting)) return;
    buf_init(&body);
    if (!fit(&fitting, buf_slice(&call->crossed), &body, dropped)) {
        buf_clear(&body);
        return;
    }
    buf_clear(&call->crossed);
    call->crossed = body;
}
