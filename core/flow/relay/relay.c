#include "flow/relay/relay_inner.h"

#include "base/mem.h"

struct redact *relay_redact(const struct exchange *x)
{
    struct redact *redact = x->api->meters_output || x->api->is_echo ? x->decision.redact : NULL;
    const struct redact_rules *rules = redact ? redact_rules_of(redact) : NULL;
    bool is_wanted = rules && (rules->response_finds || (rules->is_restoring && redact_masks(redact)));
    return is_wanted ? redact : NULL;
}

/* Only wanted stages are there: read → translate → mask → keep → hold → out. */
static void link_stages(struct relay *r)
{
    const struct relay_hooks *hooks = &r->parts.hooks;
    struct stage *last = r->first = read_new(r);
    if (r->is_blind) {
        last->next = r->out = out_new(r);
        return;
    }
    if (r->parts.provider != r->parts.client) last = last->next = r->translate = translate_new(r);
    if (r->parts.redact) last = last->next = r->mask = mask_new(r);
    if (r->parts.x->decision.record.keeps_answer) last = last->next = r->keep = keep_new(r);
    if (hooks->has_delta || hooks->has_response) last = last->next = r->hold = hold_new(r);
    last->next = r->out = out_new(r);
}

struct relay *relay_new(const struct relay_parts *parts, const struct relay_head *head)
{
    struct relay *r = mem_zalloc(1, sizeof *r);
    r->parts = *parts;
    r->head = *head;
    dialect_stream_init(&r->told, parts->x->request.choices);
    dialect_stream_init(&r->heard, 1);
    buf_reset(&parts->x->response.text); /* of an attempt before */
    r->writes_list = parts->client->streams_list && parts->x->request.is_stream &&
                     !dialect_asks(parts->client, parts->x->head.query);
    if (parts->vocabulary) r->meter = meter_new(parts->vocabulary);
    r->is_blind = frame_is_blind(r);
    link_stages(r);
    frame_init(r);
    return r;
}

static void drop(struct stage **s)
{
    if (*s) (*s)->drop(*s);
    *s = NULL;
}

static void free_now(void *arg)
{
    struct relay *r = arg;
    frame_clear(r);
    drop(&r->first);
    drop(&r->translate);
    drop(&r->mask);
    drop(&r->keep);
    drop(&r->hold);
    drop(&r->out);
    meter_free(r->meter);
    mem_free(r);
}

void relay_stop(struct relay *r)
{
    r->is_over = true;
    read_end(r->first);
    relay_stop_stages(r);
}

/* A stage may be at work further out: memory goes when the current callback has returned. */
void relay_free(struct relay *r)
{
    if (!r) return;
    relay_stop(r);
    loop_defer(r->parts.loop, free_now, r);
}

void relay_feed(struct relay *r, struct slice bytes)
{
    const struct fault *why = r->is_over || r->is_read || !bytes.len ? NULL : frame_feed(r, bytes);
    if (why) relay_finish(r, why);
}

void relay_finish(struct relay *r, const struct fault *why)
{
    if (r->is_over || r->is_read) return;
    if (!why) why = frame_check_end(r);
    /* Of an answer that broke off before anything left, what waits is nobody's: another may be given. */
    bool is_lost = why && !r->is_committed && !r->is_detached && !relay_has_said_its_end(r);
    if (is_lost)
        out_cut(r->out, why, OUTCOME_UPSTREAM_ERROR);
    else
        frame_finish(r, why);
}

/* What may leave leaves; true: and what ends it. */
static bool break_off(struct relay *r)
{
    if (r->is_over) return false;
    relay_stop_stages(r);
    read_end(r->first);
    if (r->mask && !r->hold && r->is_committed) mask_flush(r->mask);
    return !r->is_over;
}

void relay_cut(struct relay *r, const struct fault *why, enum exchange_outcome outcome)
{
    if (break_off(r)) out_cut(r->out, why, outcome);
}

void relay_refuse(struct relay *r, const struct verdict *word)
{
    if (break_off(r)) out_refuse(r, word);
}

/* Stages are dropped later: this may run inside one of them. Behind the end there is nothing to read on. */
void relay_detach(struct relay *r)
{
    if (r->is_over) return;
    relay_stop_stages(r);
    r->is_detached = true;
    r->first->next = NULL;
    if (r->is_read) relay_end_with(r, &(struct relay_end){.how = RELAY_DETACHED});
}

void relay_pass_time(struct relay *r)
{
    if (!r->is_over && r->hold) hold_pass_time(r->hold);
}

size_t relay_held_bytes(const struct relay *r)
{
    return relay_is_heard(r) && r->hold && r->hold->held ? r->hold->held(r->hold) : 0;
}

bool relay_is_at_rest(const struct relay *r)
{
    if (!r->frame.sse || relay_leaves_as_list(r)) return false;
    if (r->frame.binary && bedrock_held_bytes(r->frame.binary) > 0) return false;
    return !r->told.has_done && sse_is_at_boundary(r->frame.sse) && sse_held_bytes(r->frame.sse) == 0;
}

bool relay_is_over(const struct relay *r)
{
    return r->is_over;
}

uint64_t relay_settled_tokens(const struct relay *r)
{
    return r->meter ? meter_settled(r->meter) : 0;
}

struct relay_report relay_report(const struct relay *r)
{
    bool is_stream = r->form == FORM_EVENTS;
    return (struct relay_report){
        .usage = &r->told.usage,
        .finish_reason = r->told.finish_reason,
        .counted = r->meter ? meter_total(r->meter) : (struct meter_total){0},
        .unread_bytes = r->unread_bytes,
        .is_stream = is_stream,
        .has_error = r->told.has_error,
        .is_list = is_stream && relay_leaves_as_list(r),
        .is_cut = is_stream && relay_judge_provider(r) == DIALECT_CUT,
        .is_judged = r->is_judged,
        .is_inside = r->is_inside,
        .dropped = r->dropped,
    };
}
