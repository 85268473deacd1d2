/* What the model says, kept for the record where a policy wants it: as the client sees it, masks and all. Refuses
 * nothing: what is too large to be read, or cannot be, is missing, and the text is marked as cut. */
#include "flow/relay/relay_inner.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

/* A text of the model's may stand in it; a failure's page has none. */
static bool is_unread(const struct relay *r, const struct piece *p)
{
    if (!relay_is_success(r) || (p->event && p->event->is_comment_only)) return false;
    return !p->said || r->is_encoded || piece_hides_text(p);
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    struct exchange_text *text = &s->relay->parts.x->texts.answer;
    bool is_error = p->said && (p->said->what & (SAID_ERROR | SAID_DONE)) == SAID_ERROR; /* and no answer's end */
    bool is_read = p->said && !is_error && !(p->said->what & SAID_UNREADABLE);
    text->is_cut |= is_unread(s->relay, p);
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
