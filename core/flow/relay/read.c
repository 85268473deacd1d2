/* What the answer says, for all stages behind: each event and each whole answer is parsed here, once. */
#include "flow/relay/relay_inner.h"

#include "base/mem.h"

static void count(struct relay *r, const struct said *said)
{
    if (r->meter) meter_feed(r->meter, said);
}

/* It goes by all the same, and may be what the model was asked to write. */
static void note_unread(struct relay *r, struct slice bytes)
{
    r->parts.x->response.inspect_errors++;
    r->unread_bytes += bytes.len;
}

static bool pass(struct stage *s, const struct piece *p)
{
    return !s->next || s->next->feed(s->next, p);
}

static bool read_event(struct stage *s, const struct piece *p)
{
    struct relay *r = s->relay;
    const struct sse_event *event = p->event;
    struct said said;
    struct piece read = {.event = event, .bytes = p->bytes};
    if (event->is_raw) r->unread_bytes += p->bytes.len;
    if (!event->is_comment_only && !event->is_raw) {
        r->parts.provider->read_event(r->parts.reader, &r->told, event->name, event->data, &said);
        if (said.what & SAID_UNREADABLE) note_unread(r, event->is_tail || said.what & SAID_ERROR ? SLICE_NONE : said.json);
        if (!(said.what & (SAID_DONE | SAID_ERROR | SAID_USAGE_ONLY))) count(r, &said);
        if (said.what & SAID_USAGE_ONLY && r->parts.drops_usage) return true;
        read.said = &said;
    }
    if (s->next && event->ends && !event->is_comment_only) exchange_attempt(r->parts.x)->events++;
    return pass(s, &read);
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
    if (said.what & SAID_UNREADABLE && is_answer) note_unread(r, p->bytes);
    /* Its own numbers do; counting is for an answer without. */
    if (is_answer && !usage_has_output(&r->told.usage)) count(r, &said);
    return pass(s, &(struct piece){.bytes = p->bytes, .said = &said});
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    if (p->event) return read_event(s, p);
    if (s->relay->form == FORM_WHOLE) return read_whole(s, p);
    s->relay->unread_bytes += p->bytes.len;
    return pass(s, p);
}

static void on_finish(struct stage *s, const struct fault *why)
{
    if (s->next)
        s->next->finish(s->next, why);
    else
        relay_end_with(s->relay, &(struct relay_end){.how = RELAY_DETACHED, .why = why});
}

static void on_drop(struct stage *s)
{
    mem_free(s);
}

struct stage *read_new(struct relay *r)
{
    struct stage *s = mem_zalloc(1, sizeof *s);
    *s = (struct stage){.relay = r, .feed = on_feed, .finish = on_finish, .drop = on_drop};
    return s;
}
