/*
 * From the provider's dialect into the client's, before anybody else looks: policies mask, keep and judge what the
 * client will see. What the provider reported stays the reading of the stage before.
 *
 * What cannot be translated is never passed on, nor is its end made up: the client hears an error of its own dialect,
 * or, where nothing has left yet, another answer may take the place.
 */
#include "flow/relay/relay_inner.h"

#include "base/mem.h"
#include "wire/translate/translate.h"
#include "wire/translate/translator.h"

struct translate {
    struct stage stage;
    struct translator *translator; /* NULL: not yet */
    struct said_reader reader;     /* of what the client reads */
    struct buf whole;   /* a body that tells of an error */
    struct buf element; /* of an array that is a stream: the bytes of the event that is passed on */
    bool has_element;   /* it has one */
    bool is_over;     /* those behind have heard the end */
};

static struct relay *relay_of(const struct translate *t)
{
    return t->stage.relay;
}

/* ---- what goes on */

/* Clients read over comments. */
static bool tell_dropped(struct translate *t)
{
    struct stage *next = t->stage.next;
    struct sse_event comment = {.retry_ms = -1, .is_comment_only = true, .ends = true};
    struct buf text;
    buf_init(&text);
    buf_append(&text, SLICE(": x-moongate-dropped: "));
    dropped_write(relay_of(t)->dropped, &text);
    buf_append(&text, SLICE("\n\n"));
    comment.raw = buf_slice(&text);
    bool goes_on = next->feed(next, &(struct piece){.event = &comment, .bytes = comment.raw});
    buf_clear(&text);
    return goes_on;
}

static bool pass_read(struct translate *t, const struct sse_event *event, bool *is_last)
{
    struct relay *r = relay_of(t);
    struct stage *next = t->stage.next;
    struct said said;
    r->parts.client->read_event(&t->reader, &r->heard, event->name, event->data, &said);
    *is_last = relay_is_last(r, &said);
    bool is_end = *is_last && !(said.what & SAID_ERROR);
    if (is_end && !r->writes_list && r->dropped && !tell_dropped(t)) return false;
    return next->feed(next, &(struct piece){.event = event, .bytes = event->raw, .said = &said});
}

static bool pass_bytes(struct translate *t, struct slice before, struct slice data, bool *is_last)
{
    buf_reset(&t->element);
    buf_append(&t->element, before);
    buf_append(&t->element, data);
    struct slice raw = buf_slice(&t->element);
    return pass_read(t,
                     &(struct sse_event){.raw = raw,
                                         .data = slice_of(raw.ptr + before.len, data.len),
                                         .retry_ms = -1,
                                         .ends = true},
                     is_last);
}

/* Comments have no place in an array. Its bracket comes behind the provider's own end, or its error. */
static bool pass_element(struct translate *t, const struct sse_event *event)
{
    bool is_last;
    if (event->is_comment_only) return true;
    struct slice before = t->has_element ? SLICE(",\r\n") : SLICE("[");
    t->has_element = true;
    if (!pass_bytes(t, before, event->data, &is_last)) return false;
    return !is_last || pass_bytes(t, SLICE_NONE, SLICE("]"), &is_last);
}

static bool pass_event(struct translate *t, const struct sse_event *event)
{
    struct stage *next = t->stage.next;
    bool is_last;
    if (relay_of(t)->writes_list) return pass_element(t, event);
    if (event->is_comment_only) return next->feed(next, &(struct piece){.event = event, .bytes = event->raw});
    return pass_read(t, event, &is_last);
}

static bool pass_whole(struct translate *t, struct slice body)
{
    struct relay *r = relay_of(t);
    struct stage *next = t->stage.next;
    struct said said;
    r->parts.client->read_body(&t->reader, &r->heard, body, &said);
    return next->feed(next, &(struct piece){.bytes = body, .said = &said});
}

static bool on_event(void *arg, const struct sse_event *event)
{
    struct translate *t = arg;
    struct relay *r = relay_of(t);
    if (!relay_is_heard(r)) return false;
    r->dropped = translator_dropped(t->translator);
    return r->form == FORM_EVENTS ? pass_event(t, event) : pass_whole(t, event->data);
}

static struct slice type_of(const struct relay *r)
{
    if (r->form != FORM_EVENTS) return SLICE("application/json");
    return r->writes_list ? SLICE("application/json; charset=UTF-8") : SLICE("text/event-stream");
}

static struct translator *translator_of(struct translate *t)
{
    struct relay *r = relay_of(t);
    struct exchange *x = r->parts.x;
    struct answer_manner manner = {.id = slice_str(x->id),
                                   .model = x->request.model,
                                   .created = (int64_t)(x->born_wall_ns / 1000000000u),
                                   .is_stream = r->form == FORM_EVENTS,
                                   .wants_usage = x->request.include_usage == CHAT_TRUE,
                                   .hides_thoughts = x->request.include_thoughts == CHAT_FALSE,
                                   .names = r->parts.tool_names};
    if (!t->translator) {
        r->head.content_type = type_of(r);
        t->translator = translator_new(r->parts.client, r->parts.provider, &manner, on_event, t);
    }
    return t->translator;
}

/* ---- what does not */

/* What was held for the end that does not come: the client has heard all but that. */
static void tell_held(struct translate *t)
{
    bool is_stream = t->translator && relay_of(t)->form == FORM_EVENTS;
    if (is_stream && relay_is_heard(relay_of(t))) translator_cut(t->translator);
}

static bool give_up(struct translate *t, const struct fault *why)
{
    struct relay *r = relay_of(t);
    struct stage *next = t->stage.next;
    if (why->code == FAULT_NONE) return false;
    if (r->is_committed) tell_held(t);
    t->is_over = true;
    if (r->is_committed)
        next->finish(next, why);
    else
        out_cut(r->out, why, OUTCOME_UPSTREAM_ERROR);
    return false;
}

static bool refuse(struct translate *t, const char *text)
{
    struct fault why;
    fault_set(&why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
    return give_up(t, &why);
}

/* ---- what comes */

static bool feed_event(struct translate *t, const struct piece *p)
{
    struct fault why;
    if (p->event->is_raw) return refuse(t, "an event of it is too large");
    return translator_event(translator_of(t), p->event, p->said, &relay_of(t)->told, &why) || give_up(t, &why);
}

/* With whatever status: some answer 200. */
static bool feed_failure(struct translate *t, const struct piece *p)
{
    struct relay *r = relay_of(t);
    struct slice id = slice_str(r->parts.x->id);
    r->head.status =
        translator_failure(translator_of(t), r->head.status, r->head.error_type, p->said, id, &t->whole);
    r->head.retry_after_s = translator_retry_after_s(t->translator);
    return pass_whole(t, buf_slice(&t->whole));
}

/* Too large, or in a coding: its status is left, which says what it was and whether to come again. */
static bool feed_unread_failure(struct translate *t)
{
    struct said nothing = {.what = SAID_UNREADABLE};
    struct stage *next = t->stage.next;
    t->is_over = true;
    t->stage.relay->head.content_encoding = SLICE_NONE;
    if (feed_failure(t, &(struct piece){.said = &nothing})) next->finish(next, NULL);
    return false;
}

static bool feed_whole(struct translate *t, const struct piece *p)
{
    struct relay *r = relay_of(t);
    struct fault why;
    if (!relay_is_success(r) || p->said->what & SAID_ERROR) return feed_failure(t, p);
    return translator_body(translator_of(t), p->said, &r->told, &why) || give_up(t, &why);
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    struct translate *t = (struct translate *)s;
    if (t->is_over) return false;
    if (!translate_can(s->relay->parts.client, s->relay->parts.provider, CHAT_CHAT))
        return refuse(t, "nobody has words for it in that API");
    if ((s->relay->is_encoded || s->relay->form == FORM_OPAQUE) && !relay_is_success(s->relay))
        return feed_unread_failure(t);
    if (s->relay->is_encoded) return refuse(t, "it has a content coding");
    if (p->event) return feed_event(t, p);
    return s->relay->form == FORM_WHOLE ? feed_whole(t, p) : refuse(t, "it is too large");
}

/* Servers that know no end marker: the answer is whole when its framing says so. */
static bool ends_unmarked(const struct relay *r)
{
    return r->form == FORM_EVENTS && relay_judge_provider(r) == DIALECT_COMPLETE_UNMARKED;
}

static void on_finish(struct stage *s, const struct fault *why)
{
    struct translate *t = (struct translate *)s;
    struct relay *r = s->relay;
    struct fault cut;
    if (t->is_over) return;
    if (!why && ends_unmarked(r) && !translator_finish(translator_of(t), &r->told, &cut)) {
        give_up(t, &cut);
        return;
    }
    if (!r->is_over) tell_held(t);
    t->is_over = true;
    if (!r->is_over) s->next->finish(s->next, why);
}

static void on_drop(struct stage *s)
{
    struct translate *t = (struct translate *)s;
    translator_free(t->translator);
    said_reader_clear(&t->reader);
    buf_clear(&t->whole);
    buf_clear(&t->element);
    mem_free(t);
}

struct stage *translate_new(struct relay *r)
{
    struct translate *t = mem_zalloc(1, sizeof *t);
    t->stage = (struct stage){.relay = r, .feed = on_feed, .finish = on_finish, .drop = on_drop};
    said_reader_init(&t->reader);
    return &t->stage;
}
