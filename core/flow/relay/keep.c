/* What the model says, kept for the record where a policy wants it: as the client sees it, masks and all. Holds nothing
 * up, refuses nothing. */
#include "flow/relay/relay_inner.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

static bool on_feed(struct stage *s, const struct piece *p)
{
    struct exchange_text *text = &s->relay->parts.x->texts.answer;
    bool is_read = p->said && !(p->said->what & (SAID_UNREADABLE | SAID_ERROR | SAID_DONE));
    if (is_read && !text->is_cut) said_append_text(p->said, &text->bytes);
    if (buf_len(&text->bytes) > LIMIT_RECORD_TEXT_BYTES) {
        struct slice kept = utf8_cut(buf_slice(&text->bytes), LIMIT_RECORD_TEXT_BYTES);
        text->bytes.end = text->bytes.start + kept.len;
        text->is_cut = true;
    }
    return s->next->feed(s->next, p);
}

static void on_finish(struct stage *s, const struct fault *why)
{
    s->next->finish(s->next, why);
}

static void on_drop(struct stage *s)
{
    mem_free(s);
}

struct stage *keep_new(struct relay *r)
{
    struct stage *s = mem_zalloc(1, sizeof *s);
    *s = (struct stage){.relay = r, .feed = on_feed, .finish = on_finish, .drop = on_drop};
    buf_reset(&r->parts.x->texts.answer.bytes); /* of an attempt before */
    r->parts.x->texts.answer.is_cut = false;
    return s;
}
