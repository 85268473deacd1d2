#include "wire/elements.h"

#include "base/buf.h"
#include "base/mem.h"

enum place {
    BEFORE,  /* the list */
    BETWEEN, /* elements */
    INSIDE,  /* of one */
    IN_STRING,
    IN_ESCAPE,
    BEHIND, /* the list */
    BROKEN,
};

struct elements {
    enum place place;
    struct buf kept; /* from behind the last element on */
    size_t seen;     /* bytes of kept that were looked at */
    size_t begun;    /* where in kept the element begins */
    uint32_t depth;  /* of brackets inside of it */
    size_t max;
    bool is_large; /* of this element pieces have gone out */
    sse_event_fn on_event;
    void *arg;
};

struct elements *elements_new(size_t element_bytes_max)
{
    struct elements *e = mem_zalloc(1, sizeof *e);
    e->max = element_bytes_max;
    buf_init(&e->kept);
    return e;
}

void elements_free(struct elements *e)
{
    if (!e) return;
    buf_clear(&e->kept);
    mem_free(e);
}

static void tell(struct elements *e, const struct sse_event *event)
{
    e->on_event(e->arg, event);
    buf_consume(&e->kept, event->raw.len);
    e->seen = 0;
}

static void tell_piece(struct elements *e, bool ends)
{
    struct sse_event piece = {
        .raw = slice_of(buf_ptr(&e->kept), e->seen), .retry_ms = -1, .is_raw = true, .ends = ends};
    e->is_large = !ends;
    if (piece.raw.len) tell(e, &piece);
}

static void end_element(struct elements *e)
{
    const char *kept = buf_ptr(&e->kept);
    e->place = BETWEEN;
    if (e->is_large || e->seen > e->max) {
        tell_piece(e, true);
        return;
    }
    tell(e, &(struct sse_event){.raw = slice_of(kept, e->seen),
                                .data = slice_of(kept + e->begun, e->seen - e->begun),
                                .retry_ms = -1,
                                .ends = true});
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A byte order mark may stand before the list. */
static void before(struct elements *e, char c)
{
    if (c == '[')
        e->place = BETWEEN;
    else if (!is_blank(c) && !((unsigned char)c & 0x80))
        e->place = BROKEN;
}

static void between(struct elements *e, char c)
{
    if (c == '{') {
        e->place = INSIDE;
        e->begun = e->seen - 1;
        e->depth = 1;
    } else if (c == ']') {
        e->place = BEHIND;
    } else if (c != ',' && !is_blank(c)) {
        e->place = BROKEN;
    }
}

static void inside(struct elements *e, char c)
{
    if (c == '"')
        e->place = IN_STRING;
    else if (c == '{' || c == '[')
        e->depth++;
    else if ((c == '}' || c == ']') && --e->depth == 0)
        end_element(e);
}

static void read_byte(struct elements *e, char c)
{
    e->seen++;
    switch (e->place) {
    case BEFORE: before(e, c); return;
    case BETWEEN: between(e, c); return;
    case INSIDE: inside(e, c); return;
    case IN_STRING:
        if (c == '\\') e->place = IN_ESCAPE;
        if (c == '"') e->place = INSIDE;
        return;
    case IN_ESCAPE: e->place = IN_STRING; return;
    case BEHIND:
        if (!is_blank(c)) e->place = BROKEN;
        return;
    case BROKEN: return;
    }
}

void elements_feed(struct elements *e, struct slice bytes, sse_event_fn on_event, void *arg)
{
    e->on_event = on_event;
    e->arg = arg;
    buf_append(&e->kept, bytes);
    while (e->seen < buf_len(&e->kept))
        read_byte(e, buf_ptr(&e->kept)[e->seen]);
    if (e->place == BROKEN || buf_len(&e->kept) > e->max) tell_piece(e, false);
}

/* Of what came in pieces the rest is one more. */
void elements_finish(struct elements *e, sse_event_fn on_event, void *arg)
{
    struct slice rest = buf_slice(&e->kept);
    e->on_event = on_event;
    e->arg = arg;
    if (e->is_large) {
        tell_piece(e, false);
        return;
    }
    bool is_inside = e->place == INSIDE || e->place == IN_STRING || e->place == IN_ESCAPE;
    struct sse_event tail = {.raw = rest, .retry_ms = -1, .is_tail = true, .data = SLICE("")};
    if (e->place == BEHIND) tail.data = SLICE("]");
    if (is_inside) tail.data = slice_of(rest.ptr + e->begun, rest.len - e->begun);
    if (rest.len) tell(e, &tail);
}
