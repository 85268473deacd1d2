/* Bytes become pieces: whether they are events, one answer or neither is decided by the head and the first bytes. */
#include "flow/relay/relay_inner.h"

#include "base/limits.h"

static const struct slice byte_order_mark = {"\xEF\xBB\xBF", 3};

static bool is_type(const struct relay *r, struct slice type)
{
    struct slice rest;
    return slice_iequal(slice_trim(slice_split(r->head.content_type, ';', &rest)), type);
}

/* A coding hides what it is; only a stream must not wait for its end. */
static enum relay_form form_of_encoded(const struct relay *r)
{
    bool is_json = is_type(r, SLICE("application/json"));
    bool is_stream = is_type(r, SLICE("text/event-stream")) || (r->parts.x->request.is_stream && !is_json);
    return is_stream ? FORM_OPAQUE : FORM_WHOLE;
}

static bool has_json_type(const struct relay *r)
{
    struct slice rest, type = slice_trim(slice_split(r->head.content_type, ';', &rest)), end = SLICE("+json");
    return slice_iequal(type, SLICE("application/json")) ||
           (type.len > end.len && slice_iequal(slice_of(type.ptr + type.len - end.len, end.len), end));
}

bool frame_is_blind(const struct relay *r)
{
    enum chat_kind kind = r->parts.x->api->asks;
    if (r->parts.x->api->is_bytes) return relay_is_success(r);
    bool has_such = kind == CHAT_SPEECH || kind == CHAT_TRANSCRIPTIONS || kind == CHAT_TRANSLATIONS;
    return has_such && relay_is_success(r) && !has_json_type(r) && !is_type(r, SLICE("text/event-stream"));
}

void frame_init(struct relay *r)
{
    struct slice encoding = r->head.content_encoding;
    r->is_encoded = encoding.len && !slice_iequal(encoding, SLICE("identity"));
    buf_init(&r->frame.kept);
    if (r->is_blind)
        r->form = FORM_OPAQUE;
    else if (!relay_is_success(r))
        r->form = FORM_WHOLE;
    else
        r->form = r->is_encoded ? form_of_encoded(r) : FORM_SNIFFED;
}

static bool feed(struct relay *r, const struct piece *piece)
{
    return !r->is_over && r->first->feed(r->first, piece);
}

static void on_event(void *arg, const struct sse_event *event)
{
    feed(arg, &(struct piece){.event = event, .bytes = event->raw});
}

/* How large an event is kept whole. */
static size_t event_bytes(const struct relay *r)
{
    bool must_be_whole = r->translate || r->mask || r->keep || r->hold;
    if (!must_be_whole) return LIMIT_EVENT_BYTES;
    return r->parts.provider->repeats_answer ? LIMIT_RESPONSE_INSPECT_BYTES : LIMIT_REDACT_EVENT_BYTES;
}

static void read_elements(struct relay *r, struct slice bytes)
{
    if (!r->frame.list) r->frame.list = elements_new(event_bytes(r));
    elements_feed(r->frame.list, bytes, on_event, r);
}

static void read_lines(struct relay *r, struct slice bytes)
{
    if (!r->frame.sse) {
        r->frame.sse = sse_new();
        sse_keep(r->frame.sse, event_bytes(r));
    }
    sse_feed(r->frame.sse, bytes, on_event, r);
}

static bool on_text(void *arg, struct slice text)
{
    struct relay *r = arg;
    read_lines(r, text);
    return !r->is_over;
}

static void read_messages(struct relay *r, struct slice bytes)
{
    if (!r->frame.binary) r->frame.binary = bedrock_new(r->parts.provider);
    bedrock_feed(r->frame.binary, bytes, on_text, r, &r->frame.why);
}

static void read_events(struct relay *r, struct slice bytes)
{
    if (r->is_list)
        read_elements(r, bytes);
    else if (r->is_binary)
        read_messages(r, bytes);
    else
        read_lines(r, bytes);
}

/* Too large to be kept, or too large for what memory there is: whoever must have it whole refuses it now; else it goes
 * through as it comes, and is read on the way. */
static void give_up_keeping(struct relay *r)
{
    struct buf kept = r->frame.kept;
    buf_init(&r->frame.kept);
    r->form = FORM_OPAQUE;
    r->is_large = true;
    if (r->is_encoded) r->parts.x->response.inspect_errors++;
    feed(r, &(struct piece){.bytes = buf_slice(&kept)});
    buf_clear(&kept);
}

static void bound(struct relay *r)
{
    if (buf_len(&r->frame.kept) > LIMIT_RESPONSE_INSPECT_BYTES) give_up_keeping(r);
}

static void keep(struct relay *r, struct slice bytes)
{
    if (buf_try_append(&r->frame.kept, bytes, LIMIT_RESPONSE_INSPECT_BYTES)) {
        bound(r);
        return;
    }
    give_up_keeping(r);
    feed(r, &(struct piece){.bytes = bytes});
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind a byte order mark and blanks; false: they may still be coming. Empty: blanks without end. */
static bool find_first(struct slice bytes, struct slice *first)
{
    size_t at = 0;
    if (bytes.len < byte_order_mark.len && slice_starts(byte_order_mark, bytes)) return false;
    if (slice_starts(bytes, byte_order_mark)) at = byte_order_mark.len;
    while (at < bytes.len && at < LIMIT_EVENT_BYTES && is_space(bytes.ptr[at]))
        at++;
    *first = at < LIMIT_EVENT_BYTES ? slice_of(bytes.ptr + at, bytes.len - at) : SLICE_NONE;
    return at < bytes.len || at == LIMIT_EVENT_BYTES;
}

/* WHATWG HTML 9.2.5: a line of an event stream is a field, its name before a colon, or a comment behind one. */
static bool is_field(struct slice line)
{
    static const struct slice fields[] = {{"data:", 5}, {"event:", 6}, {"id:", 3}, {"retry:", 6}, {":", 1}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (slice_starts(line, fields[i])) return true;
    }
    return false;
}

/* A stream of a provider that has a spelling of it as an array; blanks without end may stand before one. */
static bool is_list(const struct relay *r, struct slice first)
{
    bool may_be = r->parts.provider->streams_list && r->parts.x->request.is_stream;
    return may_be && (first.len ? first.ptr[0] == '[' : !is_type(r, SLICE("text/event-stream")));
}

static bool is_frames(const struct relay *r)
{
    return is_type(r, SLICE("application/vnd.amazon.eventstream"));
}

/* A JSON text begins with a brace or bracket, an event stream never does, whatever the head says: AWS's begin with a
 * length, which would be too large. */
static enum relay_form form_of(const struct relay *r, struct slice first)
{
    if (!first.len || is_list(r, first)) return FORM_EVENTS;
    if (first.ptr[0] == '{' || first.ptr[0] == '[') return FORM_WHOLE;
    if (is_frames(r)) return FORM_EVENTS;
    return is_type(r, SLICE("text/event-stream")) || is_field(first) ? FORM_EVENTS : FORM_WHOLE;
}

#define FIELD_BYTES 6 /* the longest of them */

static bool is_decided(const struct relay *r, struct slice first)
{
    if (!first.len || first.len >= FIELD_BYTES || is_type(r, SLICE("text/event-stream")) || is_frames(r)) return true;
    return first.ptr[0] == '{' || first.ptr[0] == '[';
}

static void take_sniffed(struct relay *r, enum relay_form form, struct slice first)
{
    struct buf kept = r->frame.kept;
    r->form = form;
    r->is_list = form == FORM_EVENTS && is_list(r, first);
    r->is_binary = form == FORM_EVENTS && is_frames(r);
    if (r->is_binary) r->head.content_type = SLICE("text/event-stream");
    if (form == FORM_WHOLE) {
        bound(r);
        return;
    }
    buf_init(&r->frame.kept);
    read_events(r, buf_slice(&kept));
    buf_clear(&kept);
}

static void sniff(struct relay *r, struct slice bytes)
{
    struct slice first;
    buf_append(&r->frame.kept, bytes);
    if (find_first(buf_slice(&r->frame.kept), &first) && is_decided(r, first))
        take_sniffed(r, form_of(r, first), first);
}

const struct fault *frame_feed(struct relay *r, struct slice bytes)
{
    switch (r->form) {
    case FORM_SNIFFED: sniff(r, bytes); break;
    case FORM_EVENTS: read_events(r, bytes); break;
    case FORM_WHOLE: keep(r, bytes); break;
    case FORM_OPAQUE: feed(r, &(struct piece){.bytes = bytes}); break;
    }
    return r->frame.why.code == FAULT_NONE ? NULL : &r->frame.why;
}

/* Of a stream that said nothing but blanks there is nothing to be kept whole. */
static void settle_form(struct relay *r)
{
    struct slice first;
    bool has_first = find_first(buf_slice(&r->frame.kept), &first);
    enum relay_form form = is_type(r, SLICE("text/event-stream")) || is_frames(r) ? FORM_EVENTS : FORM_WHOLE;
    take_sniffed(r, has_first ? form_of(r, first) : form, has_first ? first : SLICE_NONE);
}

/* Of an error that is told as Amazon tells them. */
static void word_error(struct relay *r)
{
    struct buf text;
    if (relay_is_success(r) || !r->head.error_type.len || r->is_encoded) return;
    buf_init(&text);
    if (bedrock_write_error(r->parts.provider, r->head.status, r->head.error_type, buf_slice(&r->frame.kept), &text)) {
        buf_clear(&r->frame.kept);
        r->frame.kept = text;
    } else {
        buf_clear(&text);
    }
}

/* AWS's frames say how long they are: half of one is none of its servers' end, whatever was said before it. */
const struct fault *frame_check_end(struct relay *r)
{
    if (!r->frame.binary || !bedrock_held_bytes(r->frame.binary)) return NULL;
    fault_set(&r->frame.why, FAULT_UPSTREAM_STREAM,
              "The provider's event stream is broken: it ended inside a message.");
    return &r->frame.why;
}

void frame_finish(struct relay *r, const struct fault *why)
{
    if (r->form == FORM_SNIFFED) settle_form(r);
    if (r->form == FORM_EVENTS && r->frame.sse) sse_finish(r->frame.sse, on_event, r);
    if (r->form == FORM_EVENTS && r->frame.list) elements_finish(r->frame.list, on_event, r);
    if (r->form == FORM_WHOLE) word_error(r);
    if (r->form == FORM_WHOLE && !why) feed(r, &(struct piece){.bytes = buf_slice(&r->frame.kept)});
    r->is_read = true;
    if (relay_has_said_its_end(r)) why = NULL;
    if (!r->is_over) r->first->finish(r->first, why);
}

void frame_clear(struct relay *r)
{
    sse_free(r->frame.sse);
    elements_free(r->frame.list);
    bedrock_free(r->frame.binary);
    buf_clear(&r->frame.kept);
}
