/* What the answer says, for all stages behind: each event and each whole answer is parsed here, once. */
#include "flow/relay/relay_inner.h"

#include "base/mem.h"
#include "wire/skim.h"
#include "wire/translate/translator.h"

struct read {
    struct stage stage;
    struct skim *skim;      /* of what is too large to be kept; NULL: there is nothing of that kind under way */
    struct sse_lines lines; /* of the event that it reads */
};

static void count(struct relay *r, const struct said *said)
{
    if (r->meter) meter_feed(r->meter, said);
}

static void tell(struct relay *r, const struct said *said)
{
    if (r->parts.on_said && said->tape && relay_is_success(r)) r->parts.on_said(r->parts.on_said_arg, said);
}

static bool pass(struct stage *s, const struct piece *p)
{
    return !s->next || s->next->feed(s->next, p);
}

/* ---- What is too large, or not quite JSON: read on the way, in pieces like a stream's. */

static void on_skimmed(void *arg, struct slice json)
{
    struct read *rd = arg;
    struct relay *r = rd->stage.relay;
    struct said said;
    r->parts.provider->read_event(r->parts.reader, &r->told, sse_lines_name(&rd->lines), json, &said);
    if (said.what & SAID_UNREADABLE) r->unread_bytes += json.len;
    if (!(said.what & SAID_ERROR)) count(r, &said);
    tell(r, &said);
}

static void skim(void *arg, struct slice bytes)
{
    struct read *rd = arg;
    if (!rd->skim) rd->skim = skim_new();
    skim_feed(rd->skim, bytes, on_skimmed, rd);
}

/* What nothing was learnt of counts as unread. */
static void end_skim(struct read *rd)
{
    struct relay *r = rd->stage.relay;
    if (rd->skim) {
        if (!skim_finish(rd->skim, on_skimmed, rd)) r->parts.x->response.inspect_errors++;
        r->unread_bytes += skim_lost_bytes(rd->skim);
    }
    skim_free(rd->skim);
    rd->skim = NULL;
    rd->lines = (struct sse_lines){0};
}

/* What is JSON and no object is not looked into, nor is what a coding hides. */
static void read_unreadable(struct read *rd, const struct said *said)
{
    struct relay *r = rd->stage.relay;
    bool is_hidden = said->tape || r->is_encoded || !said->json.len;
    if (is_hidden) {
        r->parts.x->response.inspect_errors++;
        r->unread_bytes += said->json.len;
    } else {
        skim(rd, said->json);
        end_skim(rd);
    }
}

/* An element of an array is JSON as it stands. */
static void skim_event(struct read *rd, const struct sse_event *event)
{
    if (rd->stage.relay->is_list)
        skim(rd, event->raw);
    else
        sse_lines_feed(&rd->lines, event->raw, skim, rd);
    if (event->ends) end_skim(rd);
}

/* ---- Errors under 200. */

/* Some answer 200, and tell of an error: where nothing has left, it is as one of their statuses. True: another target
 * is to answer. */
static bool gives_way(struct relay *r, const struct said *said, struct slice name)
{
    struct fault why = {.code = FAULT_UPSTREAM_FAILED};
    if (!(said->what & SAID_ERROR) || !relay_is_success(r)) return false;
    enum failure_kind kind = translator_failure_kind(r->parts.provider, name, said);
    if (!failure_blames_provider(kind)) return false;
    if (r->parts.on_failure) r->parts.on_failure(r->parts.on_said_arg, kind == FAILURE_RATE);
    if (!r->parts.has_another || r->is_committed || !relay_is_heard(r)) return false;
    out_cut(r->out, &why, OUTCOME_UPSTREAM_ERROR);
    return true;
}

/* ---- Events and answers. */

static void tell_event(struct read *rd, const struct sse_event *event, struct said *said)
{
    struct relay *r = rd->stage.relay;
    r->parts.provider->read_event(r->parts.reader, &r->told, event->name, event->data, said);
    if (said->what & SAID_UNREADABLE && (event->is_tail || said->what & SAID_ERROR))
        r->parts.x->response.inspect_errors++; /* half an event, which clients drop; or no text of the model's */
    else if (said->what & SAID_UNREADABLE)
        read_unreadable(rd, said);
    if (!(said->what & (SAID_ERROR | SAID_USAGE_ONLY))) count(r, said);
    tell(r, said);
}

static bool read_event(struct stage *s, const struct piece *p)
{
    struct relay *r = s->relay;
    const struct sse_event *event = p->event;
    struct said said;
    struct piece read = {.event = event, .bytes = p->bytes};
    if (event->is_raw) {
        skim_event((struct read *)s, event);
    } else if (!event->is_comment_only) {
        tell_event((struct read *)s, event, &said);
        if (said.what & SAID_USAGE_ONLY && r->parts.drops_usage && !r->translate) return true;
        read.said = &said;
        if (gives_way(r, &said, event->name)) return false;
    }
    if (s->next && event->ends && !event->is_comment_only) exchange_attempt(r->parts.x)->events++;
    return pass(s, &read);
}

/* The answer's own word comes first: where it has none, its head's. */
static void read_head(struct relay *r)
{
    struct usage *usage = &r->told.usage;
    if (usage_is_known(usage)) return;
    if (r->head.input_tokens > 0) usage->input_tokens = r->head.input_tokens;
    if (r->head.output_tokens > 0) usage->output_tokens = r->head.output_tokens;
}

static bool read_whole(struct stage *s, const struct piece *p)
{
    struct relay *r = s->relay;
    bool is_answer = relay_is_success(r);
    struct said said;
    if (r->is_encoded)
        said = (struct said){.what = SAID_UNREADABLE, .json = p->bytes};
    else
        r->parts.provider->read_body(r->parts.reader, &r->told, p->bytes, &said);
    if (said.what & SAID_UNREADABLE && is_answer) read_unreadable((struct read *)s, &said);
    tell(r, &said);
    if (is_answer) read_head(r);
    /* Its own numbers do; counting is for an answer without. */
    if (is_answer && !usage_has_output(&r->told.usage)) count(r, &said);
    if (gives_way(r, &said, r->head.error_type)) return false;
    return pass(s, &(struct piece){.bytes = p->bytes, .said = &said});
}

static bool read_run(struct stage *s, const struct piece *p)
{
    struct relay *r = s->relay;
    if (r->is_encoded)
        r->unread_bytes += p->bytes.len;
    else if (!r->is_blind && relay_is_success(r))
        skim(s, p->bytes);
    return pass(s, p);
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    if (p->event) return read_event(s, p);
    return s->relay->form == FORM_WHOLE ? read_whole(s, p) : read_run(s, p);
}

void read_end(struct stage *s)
{
    end_skim((struct read *)s);
}

static void on_finish(struct stage *s, const struct fault *why)
{
    read_end(s);
    if (s->next)
        s->next->finish(s->next, why);
    else
        relay_end_with(s->relay, &(struct relay_end){.how = RELAY_DETACHED, .why = why});
}

static void on_drop(struct stage *s)
{
    struct read *rd = (struct read *)s;
    skim_free(rd->skim);
    mem_free(rd);
}

struct stage *read_new(struct relay *r)
{
    struct read *rd = mem_zalloc(1, sizeof *rd);
    rd->stage = (struct stage){.relay = r, .feed = on_feed, .finish = on_finish, .drop = on_drop};
    return &rd->stage;
}
