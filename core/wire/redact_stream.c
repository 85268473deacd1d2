#include "wire/redact_answer.h"

#include "base/mem.h"
#include "wire/redact_text.h"
#include "wire/redact_walk.h"

/* One text of the answer, by choice and path. */
struct channel {
    uint64_t choice, path, field;
    uint64_t seen; /* number of the last event that had some of it */
    struct redact_text text;
};

/* A string of an event that waits: a run of a channel's text. */
struct piece {
    uint32_t channel, node, choice_node;
    uint64_t from, to;
};

struct event {
    struct event *next;
    struct buf raw;
    struct buf joined;        /* the same with its data in one line, when they stand in several */
    size_t data_at, data_len; /* of its JSON in raw or joined; data_len 0: there are no pieces */
    bool is_tail;
    struct piece *pieces;
    uint32_t piece_count, piece_cap;
};

struct redact_stream {
    struct redact *r;
    struct json_tape tape;
    struct arena arena; /* of the event under way */
    struct channel *channels;
    uint32_t channel_count, channel_cap;
    bool has_too_many;
    uint64_t events; /* numbers them */
    struct event *first, **end;
    size_t held_bytes;
    struct event *reading;
    struct buf large; /* an event that comes in pieces, so far */
};

struct redact_stream *redact_stream_new(struct redact *r)
{
    struct redact_stream *s = mem_zalloc(1, sizeof *s);
    s->r = r;
    s->end = &s->first;
    json_init(&s->tape);
    arena_init(&s->arena);
    return s;
}

static void event_free(struct event *e)
{
    buf_clear(&e->raw);
    buf_clear(&e->joined);
    mem_free(e->pieces);
    mem_free(e);
}

void redact_stream_free(struct redact_stream *s)
{
    if (!s) return;
    for (struct event *e = s->first, *next; e; e = next) {
        next = e->next;
        event_free(e);
    }
    for (uint32_t i = 0; i < s->channel_count; i++)
        redact_text_clear(&s->channels[i].text);
    mem_free(s->channels);
    json_clear(&s->tape);
    arena_clear(&s->arena);
    buf_clear(&s->large);
    mem_free(s);
}

/* --- an event comes in --- */

static struct channel *find_channel(struct redact_stream *s, const struct redact_place *place)
{
    for (uint32_t i = s->channel_count; i-- > 0;) { /* the newest is the likeliest */
        struct channel *c = &s->channels[i];
        if (c->choice == place->choice && c->path == place->path) return c;
    }
    if (s->channel_count == LIMIT_REDACT_TEXTS) return NULL;
    if (s->channel_count == s->channel_cap) {
        s->channel_cap = s->channel_cap ? 2 * s->channel_cap : 4;
        s->channels = mem_realloc(s->channels, s->channel_cap * sizeof *s->channels);
    }
    struct channel *c = &s->channels[s->channel_count++];
    *c = (struct channel){.choice = place->choice, .path = place->path, .field = place->field};
    redact_text_init(&c->text, place->is_json);
    return c;
}

static void add_piece(struct event *e, const struct piece *piece)
{
    if (e->piece_count == e->piece_cap) {
        e->piece_cap = e->piece_cap ? 2 * e->piece_cap : 2;
        e->pieces = mem_realloc(e->pieces, e->piece_cap * sizeof *e->pieces);
    }
    e->pieces[e->piece_count++] = *piece;
}

static void on_text(void *arg, const struct redact_place *place)
{
    struct redact_stream *s = arg;
    struct channel *c = find_channel(s, place);
    if (!c) {
        s->has_too_many = true;
        return;
    }
    uint64_t from = redact_text_length(&c->text);
    c->seen = s->events;
    redact_text_feed(&c->text, s->r, json_text(&s->tape, place->node, &s->arena));
    struct piece piece = {(uint32_t)(c - s->channels), place->node, place->choice_node, from,
                          redact_text_length(&c->text)};
    add_piece(s->reading, &piece);
}

static bool has_field(const struct redact_stream *s, uint64_t choice, uint64_t field)
{
    for (uint32_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        if (c->choice == choice && c->field == field && c->seen == s->events) return true;
    }
    return false;
}

static bool has_text(const struct redact_stream *s, uint64_t choice)
{
    for (uint32_t i = 0; i < s->channel_count; i++) {
        if (s->channels[i].choice == choice && s->channels[i].seen == s->events) return true;
    }
    return false;
}

/* Texts of a choice that has its finish reason, or goes on in another field, are over. */
static void end_texts(struct redact_stream *s, uint64_t choice, bool is_finished)
{
    bool goes_on = has_text(s, choice);
    for (uint32_t i = 0; i < s->channel_count; i++) {
        struct channel *c = &s->channels[i];
        if (c->choice != choice || c->text.is_ended) continue;
        if (is_finished || (goes_on && !has_field(s, choice, c->field))) redact_text_end(&c->text, s->r);
    }
}

static void end_choices(struct redact_stream *s, uint32_t choices)
{
    uint64_t number = 0;
    for (uint32_t n = json_first(&s->tape, choices); n != JSON_NONE; n = json_next(&s->tape, n), number++) {
        bool is_finished = json_is(&s->tape, json_get(&s->tape, n, SLICE("finish_reason")), JSON_STRING);
        end_texts(s, redact_walk_number(&s->tape, n, number), is_finished);
    }
}

static bool is_inside(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

/* The event's bytes with other data: `data` lines that JSON was spread over become one, for JSON needs no line ends. */
static void write_raw(struct buf *out, const struct sse_event *event, struct slice data)
{
    if (is_inside(event->data, event->raw)) {
        size_t at = (size_t)(event->data.ptr - event->raw.ptr), behind = at + event->data.len;
        buf_append(out, slice_of(event->raw.ptr, at));
        buf_append(out, data);
        buf_append(out, slice_of(event->raw.ptr + behind, event->raw.len - behind));
        return;
    }
    if (event->name.len) buf_printf(out, "event: %.*s\n", SLICE_FMT(event->name));
    if (event->id.len) buf_printf(out, "id: %.*s\n", SLICE_FMT(event->id));
    buf_append(out, SLICE("data: "));
    for (size_t i = 0; i < data.len; i++)
        buf_append_char(out, data.ptr[i] == '\n' ? ' ' : data.ptr[i]);
    if (!event->is_tail) buf_append(out, SLICE("\n\n"));
}

/* An event of choices: its strings join their texts. */
static void read_choices(struct redact_stream *s, struct event *e, const struct sse_event *event, uint32_t choices)
{
    s->reading = e;
    redact_walk_choices(&s->tape, choices, on_text, s);
    end_choices(s, choices);
    buf_append(&e->raw, event->raw);
    if (!e->piece_count) return;
    e->data_len = event->data.len;
    if (is_inside(event->data, event->raw)) {
        e->data_at = (size_t)(event->data.ptr - event->raw.ptr);
    } else {
        write_raw(&e->joined, event, event->data);
        e->data_at = buf_len(&e->joined) - e->data_len - (event->is_tail ? 0 : 2);
    }
}

/* Any other event is read by itself. */
static void read_other(struct redact_stream *s, struct event *e, const struct sse_event *event)
{
    struct buf data;
    buf_init(&data);
    if (redact_answer(s->r, event->data, &data)) {
        write_raw(&e->raw, event, buf_slice(&data));
    } else {
        buf_append(&e->raw, event->raw);
    }
    buf_clear(&data);
}

/* --- events go out --- */

static bool is_settled(const struct redact_stream *s, const struct event *e)
{
    for (uint32_t i = 0; i < e->piece_count; i++) {
        if (s->channels[e->pieces[i].channel].text.settled < e->pieces[i].to) return false;
    }
    return true;
}

static bool is_changed(const struct redact_stream *s, const struct event *e)
{
    bool has_mask, is = false;
    for (uint32_t i = 0; i < e->piece_count && !is; i++) {
        const struct piece *p = &e->pieces[i];
        is = redact_text_is_changed(&s->channels[p->channel].text, p->from, p->to, &has_mask);
    }
    return is;
}

static void put_piece(struct redact_stream *s, const struct piece *p, struct splice *edits)
{
    const struct redact_text *text = &s->channels[p->channel].text;
    bool has_mask = false;
    struct buf out;
    if (!redact_text_is_changed(text, p->from, p->to, &has_mask)) return;
    buf_init(&out);
    redact_text_write(text, p->from, json_text(&s->tape, p->node, &s->arena), &out);
    redact_put_text(edits, p->node, buf_slice(&out));
    if (has_mask) redact_drop_logprobs(edits, p->choice_node);
    buf_clear(&out);
}

static void send_changed(struct redact_stream *s, const struct event *e, redact_out_fn out, void *arg)
{
    struct fault why;
    struct splice edits;
    struct buf bytes;
    struct slice raw = buf_slice(buf_len(&e->joined) ? &e->joined : &e->raw), data = slice_of(raw.ptr + e->data_at, e->data_len);
    buf_init(&bytes);
    if (json_parse(&s->tape, data, &why)) { /* it could be before */
        splice_init(&edits, &s->tape, data, &s->arena);
        for (uint32_t i = 0; i < e->piece_count; i++)
            put_piece(s, &e->pieces[i], &edits);
        buf_append(&bytes, slice_of(raw.ptr, e->data_at));
        splice_apply(&edits, &bytes);
        size_t behind = e->data_at + e->data_len;
        buf_append(&bytes, slice_of(raw.ptr + behind, raw.len - behind));
        out(arg, buf_slice(&bytes), e->is_tail);
    }
    buf_clear(&bytes);
    arena_clear(&s->arena);
}

static void send_first(struct redact_stream *s, redact_out_fn out, void *arg)
{
    struct event *e = s->first;
    s->first = e->next;
    if (!s->first) s->end = &s->first;
    s->held_bytes -= buf_len(&e->raw);
    if (is_changed(s, e)) {
        send_changed(s, e, out, arg);
    } else {
        out(arg, buf_slice(&e->raw), e->is_tail);
    }
    for (uint32_t i = 0; i < e->piece_count; i++)
        redact_text_forget(&s->channels[e->pieces[i].channel].text, e->pieces[i].to);
    event_free(e);
}

static void end_texts_of(struct redact_stream *s, const struct event *e)
{
    for (uint32_t i = 0; i < e->piece_count; i++)
        redact_text_end(&s->channels[e->pieces[i].channel].text, s->r);
}

static void send_settled(struct redact_stream *s, redact_out_fn out, void *arg)
{
    while (s->first) {
        if (!is_settled(s, s->first)) {
            if (s->held_bytes <= LIMIT_REDACT_QUEUE_BYTES) return;
            end_texts_of(s, s->first);
        }
        send_first(s, out, arg);
    }
}

void redact_stream_flush(struct redact_stream *s, redact_out_fn out, void *arg)
{
    for (uint32_t i = 0; i < s->channel_count; i++)
        redact_text_end(&s->channels[i].text, s->r);
    send_settled(s, out, arg);
}

static bool ends_stream(const struct sse_event *event)
{
    return slice_equal(slice_trim(event->data), SLICE("[DONE]"));
}

static bool take_event(struct redact_stream *s, const struct sse_event *event, redact_out_fn out, void *arg,
                       struct fault *why)
{
    struct fault unread;
    struct event *e = mem_zalloc(1, sizeof *e);
    e->is_tail = event->is_tail;
    s->events++;
    bool is_json = json_parse(&s->tape, event->data, &unread);
    uint32_t choices = is_json ? json_get(&s->tape, 0, SLICE("choices")) : JSON_NONE;
    bool has_error = is_json && json_is(&s->tape, json_get(&s->tape, 0, SLICE("error")), JSON_OBJECT);
    if (is_json && json_is(&s->tape, choices, JSON_ARRAY) && !has_error) {
        read_choices(s, e, event, choices);
    } else {
        if (has_error || ends_stream(event)) redact_stream_flush(s, out, arg);
        read_other(s, e, event);
    }
    arena_clear(&s->arena);
    *s->end = e;
    s->end = &e->next;
    s->held_bytes += buf_len(&e->raw);
    if (s->has_too_many) {
        return fault_set(why, FAULT_UPSTREAM_PROTOCOL, "The provider's answer has more than %u texts.", LIMIT_REDACT_TEXTS);
    }
    send_settled(s, out, arg);
    return true;
}

/* The one line of data of an event that was not parsed; SLICE_NONE when there is none, or more than one. */
static struct slice find_data(struct slice raw)
{
    struct slice data = SLICE_NONE;
    for (size_t at = 0; at < raw.len;) {
        size_t end = at;
        while (end < raw.len && raw.ptr[end] != '\n' && raw.ptr[end] != '\r')
            end++;
        struct slice line = slice_of(raw.ptr + at, end - at);
        if (slice_starts(line, SLICE("data:"))) {
            if (data.ptr) return SLICE_NONE;
            data = slice_of(line.ptr + 5, line.len - 5);
        }
        at = end + 1;
    }
    return data;
}

/* An event in pieces is put together again, as far as that goes. */
static bool take_piece(struct redact_stream *s, const struct sse_event *event, redact_out_fn out, void *arg,
                       struct fault *why)
{
    buf_append(&s->large, event->raw);
    if (buf_len(&s->large) <= LIMIT_REDACT_EVENT_BYTES && !event->ends) return true;
    struct sse_event whole = {.raw = buf_slice(&s->large), .retry_ms = -1, .ends = true};
    whole.data = find_data(whole.raw);
    bool is_readable = event->ends && whole.raw.len <= LIMIT_REDACT_EVENT_BYTES && whole.data.ptr;
    bool ok = is_readable ? take_event(s, &whole, out, arg, why)
                          : fault_set(why, FAULT_UPSTREAM_PROTOCOL, "the provider sent an event too large to be redacted");
    buf_clear(&s->large);
    return ok;
}

bool redact_stream_event(struct redact_stream *s, const struct sse_event *event, redact_out_fn out, void *arg,
                         struct fault *why)
{
    if (event->is_raw) return take_piece(s, event, out, arg, why);
    if (event->is_comment_only) {
        out(arg, event->raw, event->is_tail);
        return true;
    }
    return take_event(s, event, out, arg, why);
}
