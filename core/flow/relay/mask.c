/*
 * Masks in the answer what its policy says, and gives the caller back what was masked in the request, before anybody
 * else reads it: policies that judge the answer see it as the client will.
 *
 * What cannot be read cannot be masked: such an answer is refused, never let through.
 */
#include "flow/relay/relay_inner.h"

#include "base/mem.h"
#include "wire/redact_answer.h"

struct mask {
    struct stage stage;
    struct redact_stream *stream; /* NULL: not yet */
    struct buf whole;             /* an answer in one piece, as it became; those behind borrow it */
};

static bool on_out(void *arg, const struct sse_event *event, const struct said *said)
{
    struct mask *m = arg;
    struct stage *next = m->stage.next;
    if (!relay_is_heard(m->stage.relay)) return false;
    return next->feed(next, &(struct piece){.event = event, .bytes = event->raw, .said = said});
}

static bool mask_event(struct mask *m, const struct piece *p)
{
    struct relay *r = m->stage.relay;
    struct fault why;
    if (!m->stream) m->stream = redact_stream_new(r->parts.redact, on_out, m);
    if (redact_stream_event(m->stream, p->event, p->said, &why)) return true;
    return why.code == FAULT_NONE ? false : out_refuse_unreadable(r, why.text);
}

static struct said_text *copy_texts(const struct said *said)
{
    struct said_text *texts = mem_alloc((said->text_count + 1) * sizeof *texts);
    if (said->text_count) memcpy(texts, said->texts, said->text_count * sizeof *texts);
    return texts;
}

static bool refuse_too_deep(struct relay *r)
{
    struct fault why;
    fault_set(&why, FAULT_UPSTREAM_PROTOCOL, REDACT_TOO_DEEP, LIMIT_SIGHT_LEVELS);
    return out_refuse_unreadable(r, why.text);
}

static bool mask_whole(struct mask *m, const struct piece *p)
{
    struct stage *next = m->stage.next;
    struct said_text *texts = copy_texts(p->said);
    struct said said = *p->said;
    struct piece masked = *p;
    if (redact_answer(m->stage.relay->parts.redact, p->said, &m->whole, texts)) {
        said.json = buf_slice(&m->whole);
        said.tape = NULL;
        said.texts = texts;
        masked = (struct piece){.bytes = said.json, .said = &said};
    }
    bool goes_on = redact_answer_is_too_deep(m->stage.relay->parts.redact) ? refuse_too_deep(m->stage.relay)
                                                                            : next->feed(next, &masked);
    mem_free(texts);
    return goes_on;
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    struct mask *m = (struct mask *)s;
    if (s->relay->is_encoded)
        return out_refuse_unreadable(s->relay, "the provider's answer has a content coding, and cannot be redacted");
    if (piece_hides_text(p))
        return out_refuse_unreadable(s->relay, "the provider's answer is JSON or no text that can be read, "
                                               "and so not redacted");
    if (p->event) return mask_event(m, p);
    if (!p->said) return out_refuse_unreadable(s->relay, "the answer is too large to be redacted");
    return mask_whole(m, p);
}

void mask_flush(struct stage *s)
{
    struct mask *m = (struct mask *)s;
    if (m->stream) redact_stream_flush(m->stream);
}

static void on_finish(struct stage *s, const struct fault *why)
{
    mask_flush(s);
    if (!s->relay->is_over) s->next->finish(s->next, why);
}

static void on_drop(struct stage *s)
{
    struct mask *m = (struct mask *)s;
    redact_stream_free(m->stream);
    buf_clear(&m->whole);
    mem_free(m);
}

struct stage *mask_new(struct relay *r)
{
    struct mask *m = mem_zalloc(1, sizeof *m);
    m->stage = (struct stage){.relay = r, .feed = on_feed, .finish = on_finish, .drop = on_drop};
    return &m->stage;
}
